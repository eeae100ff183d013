"""A small untrained student on disk, and the two estimators that all tests of behaviour walk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from molkd.featurizers import MolKDTransformer
from molkd.students import GineSettings, make
from molkd.teachers.rdkit.fingerprints import MorganTeacher


def _write(folder: Path, *, seed: int) -> Path:
    make(GineSettings(size="tiny", embedding_dim=32), seed=seed).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def student_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("student"), seed=0)


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture
def transformer(student_folder: Path) -> MolKDTransformer:
    return MolKDTransformer(str(student_folder))


@pytest.fixture(params=["student", "fingerprint"])
def estimator(request: pytest.FixtureRequest, student_folder: Path) -> Any:
    """A fresh estimator: one with weights, one without."""
    if request.param == "student":
        return MolKDTransformer(str(student_folder))
    return MorganTeacher(width=64)


@pytest.fixture(scope="session")
def smiles() -> list[str]:
    """Small molecules with everything that embedders stumble over."""
    return [
        "CCO",
        "c1ccccc1",
        "C",
        "[Na+].[Cl-]",
        "C[C@H](N)C(=O)O",
        "C[C@@H](N)C(=O)O",
        "C/C=C/C",
        "CC(=O)Oc1ccccc1C(=O)O",
        "[H][H]",
        "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    ]
