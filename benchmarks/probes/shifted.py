"""Symmetric systems (A + shift I) z = b for many shifts, from one tridiagonal decomposition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from molkd.benchmarks.tasks.task import Labels


def solutions(matrix: Labels, right: Labels, shifts: Sequence[float]) -> Labels:
    """Solves (A + shift I) z = b for each shift.

    A is brought to the form Q T Q^T once; then every shift is a tridiagonal system.

    Args:
        matrix: A, shape (m, m), symmetric, without negative eigenvalues.
        right: b, shape (m,).
        shifts: positive.

    Returns:
        Shape (m, shifts).
    """
    from scipy.linalg import get_lapack_funcs, solveh_banded

    size, by = len(matrix), np.array(shifts)
    if size == 1:
        return right[:, np.newaxis] / (matrix[0] + by)
    routines: Any = get_lapack_funcs(("sytrd", "sytrd_lwork", "ormqr"), (matrix,))
    sytrd, sytrd_lwork, ormqr = routines
    lower = np.array(matrix, order="F")
    work = int(sytrd_lwork(size, lower=1)[0])  # the default has no blocks: half as fast
    reflectors, diagonal, beside, tau, _ = sytrd(lower, lower=1, lwork=work, overwrite_a=1)
    below = reflectors.ravel(order="F")[1 : 1 + size * (size - 1)]
    below = below.reshape((size, size - 1), order="F")  # without a copy

    def turned(columns: Labels, trans: str) -> Labels:
        """Q or Q^T times columns; it leaves the first row as it is."""
        rest = np.asfortranarray(columns[1:])
        lwork = 64 * (rest.shape[1] + 64)
        whole = np.empty(columns.shape)
        whole[0], whole[1:] = columns[0], ormqr("L", trans, below, tau, rest, lwork)[0]
        return whole

    along = np.repeat(turned(right[:, np.newaxis], "T"), len(by), axis=1)
    band = np.zeros((2, size))
    band[1, :-1] = beside
    for column, shift in enumerate(by):
        band[0] = diagonal + shift
        along[:, column] = solveh_banded(band, along[:, column], lower=True, check_finite=False)
    return turned(along, "N")
