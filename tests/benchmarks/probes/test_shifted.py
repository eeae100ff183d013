"""Systems with many shifts, from one decomposition, are solved as well as one by one."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes import shifted

SHIFTS = (1e6, 5.0, 0.1)


@pytest.mark.parametrize("size", [1, 2, 3, 70])
def test_shifts_are_solved_where_the_matrix_is_singular(size: int) -> None:
    factor = np.random.default_rng(0).normal(size=(size, max(size // 2, 1)))
    matrix, right = factor @ factor.T, np.arange(1.0, size + 1)
    eye = np.eye(size)
    alone = [np.linalg.solve(matrix + shift * eye, right) for shift in SHIFTS]
    found = shifted.solutions(matrix, right, SHIFTS)
    np.testing.assert_allclose(found, np.stack(alone, axis=1), rtol=1e-8)
