"""Systems with many shifts, from one decomposition, are solved as well as one by one."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes import shifted

SHIFTS = (1e6, 5.0, 0.1)


def solved_alone(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    eye = np.eye(len(right))
    return np.stack([np.linalg.solve(matrix + shift * eye, right) for shift in SHIFTS], axis=1)


@pytest.mark.parametrize("wide", [1, 2000])
@pytest.mark.parametrize("size", [1, 2, 3, 70])
def test_shifts_are_solved_where_the_matrix_is_singular(
    size: int, wide: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shifted, "WIDE", wide)
    factor = np.random.default_rng(0).normal(size=(size, max(size // 2, 1)))
    matrix, right = factor @ factor.T, np.arange(1.0, size + 1)
    found = shifted.solutions(np.tril(matrix).copy(order="F"), right, SHIFTS)
    np.testing.assert_allclose(found, solved_alone(matrix, right), rtol=1e-8)


@pytest.mark.parametrize("spread", [1.0, 1e8])
def test_single_precision_is_refined(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifted, "WIDE", 1)
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(90, 90)))
    matrix = (turn * np.geomspace(1e-3, spread, 90)) @ turn.T
    right = matrix @ rng.normal(size=90)
    found = shifted.solutions(np.tril(matrix).copy(order="F"), right, SHIFTS)
    expected = solved_alone(matrix, right)
    error = np.linalg.norm(matrix @ (found - expected), axis=0) / np.linalg.norm(right)
    assert error.max() < 1e-9


def test_what_does_not_end_is_solved_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifted, "WIDE", 1)
    monkeypatch.setattr(shifted, "_STEPS", 1)
    factor = np.random.default_rng(2).normal(size=(60, 60))
    matrix, right = factor @ factor.T, np.arange(60.0)
    found = shifted.solutions(np.tril(matrix).copy(order="F"), right, SHIFTS)
    np.testing.assert_allclose(found, solved_alone(matrix, right), rtol=1e-7)


def test_a_matrix_of_zeros_leaves_the_shifts() -> None:
    right = np.arange(float(shifted.WIDE))
    found = shifted.solutions(np.zeros((shifted.WIDE,) * 2, order="F"), right, SHIFTS)
    np.testing.assert_allclose(found, right[:, np.newaxis] / np.array(SHIFTS))
