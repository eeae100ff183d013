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


PREFIXES = ((4,), (2, 4), (4, 2, 2), (3, 5), (7,))


def _turned(prefixes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings of a student that knows the components, these, and their standard deviations."""
    student = _student()
    before = student.embed(SMILES).values
    known = np.linalg.svd(before - before.mean(axis=0), full_matrices=False)[0] * len(SMILES) ** 0.5
    sds = np.linspace(4, 1, 8)
    basis.turn(student, before, known, sds, prefixes)
    return student.embed(SMILES).values.astype(np.float64), known, sds


@pytest.mark.parametrize("prefixes", PREFIXES)
def test_dimensions_between_two_lengths_are_alike_and_the_longest_come_first(
    prefixes: tuple[int, ...],
) -> None:
    embedded, known, sds = _turned(prefixes)
    ends = [*sorted(set(prefixes)), 8]
    components, spread = known * sds**basis.PREFIX_POWER, embedded.std(axis=0)
    blocks = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    unit = None
    for block in blocks:
        np.testing.assert_allclose(spread[block], spread[block][0], rtol=1e-2)
        expected = components[:, block] * ends[0] / block.stop
        unit = unit or np.linalg.norm(embedded[:, block]) / np.linalg.norm(expected)
        expected = expected * unit  # distances within a block are those of its components
        size = np.square(expected).sum(axis=1).mean()
        inner = embedded[:, block] @ embedded[:, block].T
        np.testing.assert_allclose(inner, expected @ expected.T, rtol=0.02, atol=0.02 * size)
    firsts = [spread[block.start] for block in blocks]
    assert firsts == sorted(firsts, reverse=True)
    assert np.square(embedded).mean() == pytest.approx(1, rel=1e-2)  # as long as without lengths


def test_a_turned_student_is_turned_again_to_the_same() -> None:
    student = _student()
    targets = np.random.default_rng(0).normal(size=(len(SMILES), 8)).astype(np.float32)
    sds = np.linspace(4, 1, 8)
    seen = []
    for prefixes in ((2, 4), (), (2, 4)):
        basis.turn(student, student.embed(SMILES).values, targets, sds, prefixes)
        seen.append(student.embed(SMILES).values)
    np.testing.assert_allclose(seen[2], seen[0], atol=0.02)  # but for two penalties
    assert np.abs(seen[1] - seen[0]).max() > 0.1


def test_the_same_turn_gives_the_same_bits() -> None:
    one, other = (_turned((3, 5))[0] for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("prefixes", [*PREFIXES, ()])
@pytest.mark.parametrize("known", [8, 3, 0])
def test_the_rotation_keeps_distances(prefixes: tuple[int, ...], known: int) -> None:
    variances = np.where(np.arange(8) < known, np.linspace(5, 1, 8), 0)
    rotation = basis._rotation(variances, prefixes)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(8), atol=1e-12)
    turned = rotation @ np.diag(variances) @ rotation.T
    ends = [*sorted(set(prefixes)), 8]
    for start, end in zip([0, *ends], ends, strict=False):
        block = np.diagonal(turned)[start:end]
        np.testing.assert_allclose(block, variances[start:end].mean(), atol=1e-12)


def test_as_many_components_as_dimensions() -> None:
    student = _student()
    values = student.embed(SMILES).values
    with pytest.raises(ConfigError, match="has dimensions, 8; the teachers have 7"):
        basis.turn(student, values, values[:, :7], np.ones(7))
