"""Fixtures shared by the tests of teachers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny transformers by name, in the hub's format; see tiny_models."""
    from tests.teachers.tiny_models import MODELS  # transformers is slow to import

    top = tmp_path_factory.mktemp("models")
    return {name: make(top / name) for name, (make, _) in MODELS.items()}


@pytest.fixture
def roberta(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(folders["roberta"], tmp_path / "roberta"))
