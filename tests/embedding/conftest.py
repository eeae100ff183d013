"""A file of molecules, and what an undisturbed job makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.embedding.jobs import SMILES, embed
from tests.fakes.fake_encoders import FakeEncoder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.smi"
    path.write_text("".join(f"{text}\n" for text in SMILES))
    return path


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "in.smi").write_text("".join(f"{text}\n" for text in SMILES))
    embed(FakeEncoder(), folder / "in.smi", folder / "whole.npy")
    return (folder / "whole.npy").read_bytes()
