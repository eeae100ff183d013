"""Environments of atoms do not depend on how a molecule lies or in which order its atoms stand."""

from __future__ import annotations

import numpy as np
import torch

from molkd.teachers.conformers import aev
from molkd.types import Matrix

WATER = np.array([[0, 0, 0.1173], [0, 0.7572, -0.4692], [0, -0.7572, -0.4692]], dtype=np.float32)
KINDS = [3, 0, 0]


def _vectors(kinds: list[int], where: Matrix) -> Matrix:
    return aev.vectors(aev.environments([kinds], [where])).numpy()


def test_water() -> None:
    values = _vectors(KINDS, WATER)
    assert values.shape == (3, aev.WIDTH) == (3, 1008)
    oxygen = values[0].reshape(-1)
    assert np.flatnonzero(oxygen[: 7 * 16] > 1e-3).max() < 16, "it has hydrogens around it alone"
    angles = oxygen[7 * 16 :].reshape(aev.PAIRS, 8, 4)
    assert angles[1:].max() == 0, "the pair of two hydrogens is the first"
    assert np.unravel_index(angles[0].argmax(), (8, 4)) == (0, 2), "a narrow angle at short bonds"


def test_hydrogens_of_methane_are_equal() -> None:
    length = 1.09 / 3**0.5
    signs = np.array([[0, 0, 0], [1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]])
    values = _vectors([1, 0, 0, 0, 0], (signs * length).astype(np.float32))
    np.testing.assert_allclose(values[2:], values[[1, 1, 1]], atol=1e-5)


def test_turned_moved_and_renumbered() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    moved = (WATER @ turn + 3).astype(np.float32)
    np.testing.assert_allclose(_vectors(KINDS, moved), _vectors(KINDS, WATER), atol=1e-5)
    back = _vectors(KINDS[::-1], WATER[::-1].copy())[::-1]
    np.testing.assert_allclose(back, _vectors(KINDS, WATER), atol=1e-5)


def test_places_of_pairs_of_elements() -> None:
    names = [(low, high) for low in range(7) for high in range(low, 7)]
    ends = torch.tensor(names + [pair[::-1] for pair in names]).T
    kinds = torch.arange(7)
    angles = torch.cat([torch.zeros(1, ends.shape[1], dtype=torch.int64), ends])
    atoms = aev.Environments(kinds, torch.zeros(7, 3), angles[:2], angles)
    assert aev._angular_place(atoms).tolist() == [*range(aev.PAIRS), *range(aev.PAIRS)]


def test_a_lone_atom_has_nothing_around_it() -> None:
    assert _vectors([6], np.zeros((1, 3), dtype=np.float32)).tolist() == [[0.0] * aev.WIDTH]
