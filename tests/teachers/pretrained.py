"""What the tests of all teachers with published weights share."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from molkd.errors import WeightsError
from molkd.teachers.base.network import NetworkTeacher
from molkd.types import Matrix

DRUGS = [
    "CCO",
    "C",
    "[Na+].[Cl-]",
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](N)C(=O)O",
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "Clc1ccccc1C2=NCC(=O)Nc3c2cc(cc3)[N+](=O)[O-]",
    "C#CCN(C)C",
    "O",
]
"""Molecules of very different sizes, with atoms without bonds among them."""


def distance(values: Matrix, expected: Matrix) -> float:
    """The largest difference, each row's in units of its largest value where that exceeds one."""
    scale = np.fmax(1, np.abs(expected).max(axis=1, keepdims=True))
    return float(np.nanmax(np.abs(values - expected) / scale))


def check_equals_original(teacher: NetworkTeacher, shared: Path, column: str) -> None:
    with np.load(shared / "reference" / "teacher-outputs.npz", allow_pickle=False) as outputs:
        smiles, expected = outputs["smiles"].tolist(), outputs[column]
    embedded = teacher.embed(smiles)
    np.testing.assert_array_equal(np.isnan(embedded.values), np.isnan(expected))
    # To 1e-4; where values exceed 10, to 1e-5 of them. `gcn_contextpred` has values of 400, and the
    # original's own float32 rounding there is 3e-4 (measured against float64).
    limit = np.fmax(1e-4, 1e-5 * np.abs(expected).max(axis=1, keepdims=True))
    assert np.nanmax(np.abs(embedded.values - expected) / limit) < 1
    assert sorted(embedded.failures) == np.flatnonzero(np.isnan(expected).any(axis=1)).tolist()


def check_batches_do_not_matter(teacher: NetworkTeacher) -> None:
    together = teacher.set_params(batch_size=128).embed(DRUGS).values
    threes = teacher.set_params(batch_size=3).embed(DRUGS).values
    backwards = teacher.embed(DRUGS[::-1]).values[::-1]
    alone = np.concatenate([teacher.embed([smiles]).values for smiles in DRUGS])
    for other in (threes, backwards, alone):
        np.testing.assert_array_equal(np.isnan(other), np.isnan(together))
        assert distance(other, together) < 1e-5


def check_travels(teacher: NetworkTeacher) -> None:
    """Cloning and pickling, before and after use, keep parameters and numbers, not the network."""
    fresh = _pickled(teacher)
    expected = teacher.embed(DRUGS[:4]).values
    for other in (fresh, _pickled(teacher), clone(teacher)):
        assert other.get_params() == teacher.get_params()
        assert other._loaded is None
        np.testing.assert_array_equal(other.embed(DRUGS[:4]).values, expected)
    assert len(pickle.dumps(teacher)) < 2000


def _pickled(teacher: NetworkTeacher) -> NetworkTeacher:
    return pickle.loads(pickle.dumps(teacher))  # noqa: S301 - written here


def check_card_needs_no_weights(teacher: NetworkTeacher, tmp_path: Path) -> None:
    """Nor does it depend on where the weights are and where they run."""
    card = teacher.card
    teacher.set_params(weights_dir=tmp_path, device="meta", batch_size=1)
    assert teacher.card.digest == card.digest
    assert card.support == "real"
    assert "rdkit" in card.versions
    assert len(teacher) == card.dim
    assert all(len(checksum) == 64 for checksum in card.sha256.values())
    assert teacher.embed([]).values.shape == (0, card.dim)


def check_refuses_other_weights(teacher: NetworkTeacher, tmp_path: Path) -> None:
    (name,) = teacher.card.sha256
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not these")
    with pytest.raises(WeightsError, match=f"{name} is not the published file"):
        teacher.set_params(weights_dir=tmp_path).embed(["C"])
