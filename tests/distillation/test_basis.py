"""The map that turns an embedding towards its teachers."""

from __future__ import annotations

import numpy as np
import pytest

from molkd import students
from molkd.distillation import basis
from molkd.errors import ConfigError
from molkd.students import GineSettings, Student

SMILES = ["C" * n + tail for n in range(1, 13) for tail in ("O", "N", "Cl", "F", "c1ccccc1", "=O")]


def _student() -> Student:
    return students.make(GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8)).eval()


def test_distances_are_those_of_what_is_known_of_the_teachers() -> None:
    student = _student()
    before = student.embed(SMILES).values
    rng = np.random.default_rng(0)
    known = np.linalg.svd(before - before.mean(axis=0), full_matrices=False)[0] * len(SMILES) ** 0.5
    targets = (known + rng.normal(scale=0.01, size=known.shape)).astype(np.float32)
    sds = np.linspace(4, 1, 8)
    basis.turn(student, before, targets, sds)
    after = student.embed(SMILES).values
    np.testing.assert_allclose(after.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(after.std(axis=0), 1, rtol=1e-2)  # standardising changes nothing
    expected = known * sds**basis.POWER
    expected /= np.sqrt(np.square(expected).mean())
    np.testing.assert_allclose(after @ after.T, expected @ expected.T, atol=0.5)


def test_what_the_student_does_not_know_has_little_room() -> None:
    student = _student()
    before = student.embed(SMILES).values
    rng = np.random.default_rng(0)
    known = np.linalg.svd(before - before.mean(axis=0), full_matrices=False)[0] * len(SMILES) ** 0.5
    targets = np.where(np.arange(8) < 4, known, rng.normal(size=known.shape)).astype(np.float32)
    basis.turn(student, before, targets, np.ones(8))
    spectrum = np.linalg.svd(student.embed(SMILES).values, compute_uv=False)
    assert spectrum[3] > 1.5 * spectrum[4]


def test_as_many_components_as_dimensions() -> None:
    student = _student()
    values = student.embed(SMILES).values
    with pytest.raises(ConfigError, match="has dimensions, 8; the teachers have 7"):
        basis.turn(student, values, values[:, :7], np.ones(7))
