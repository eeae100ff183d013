"""Numbers that the code of packages gave for molecules of ours, each in an environment of its own.

`originals.npz` holds them: `smiles`, and one array for each teacher. rxnmapper 0.4.3 and rxnfp
0.1.0 ran with transformers 4.57.6 and torch 2.13.0, jtnnencoder 0.1 (its class MPN) with torch
2.13.0, expaloma 0.1.0 with JAX 0.10.2 on molecules with hydrogens, all with RDKit 2026.9.1. On 300
molecules of ChEMBL no value of a teacher differed from theirs by more than 4.1e-6.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from molkd.errors import WeightsError
from molkd.teachers.base import weights
from molkd.teachers.base.network import NetworkTeacher

ORIGINALS = Path(__file__).with_suffix(".npz")


def needs_package(teacher: NetworkTeacher) -> None:
    """Skips a test where the package with the weights of a teacher is not installed."""
    if not all(weights.is_present(path) for path in teacher.card.sha256):
        pytest.skip(f"the package with the weights of {teacher.card.name} is not installed")


def check_equals_original(teacher: NetworkTeacher) -> None:
    with np.load(ORIGINALS, allow_pickle=False) as originals:
        smiles, expected = originals["smiles"].tolist(), originals[teacher.card.name]
    assert len(expected) == len(smiles) == 16
    values = teacher.transform(smiles)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5)


def check_missing_package_is_named(
    teacher: NetworkTeacher, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card is there without the package; embedding says how to install it."""
    tops = {path.partition("/")[0] for path in teacher.card.sha256}
    paths = [path for path in sys.path if not any((Path(path) / top).exists() for top in tops)]
    monkeypatch.setattr(sys, "path", paths)
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    assert not any(weights.is_present(path) for path in teacher.card.sha256)
    with pytest.raises(WeightsError, match=f"package that carries it is missing: {command}. "):
        teacher.embed(["C"])
