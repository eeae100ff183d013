"""Ridge regression for a whole path of penalties, from one tridiagonal decomposition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from molkd.benchmarks.probes.design import Design
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix


def ridge_path(x: Matrix, y: Labels, penalties: Sequence[float]) -> tuple[Labels, Labels]:
    """Returns the least of |y - X w - b|^2 + penalty |w|^2 for each penalty.

    The smaller of X^T X and X X^T is brought to tridiagonal form once, which takes as long as three
    Cholesky factors; then every penalty is a solution of a tridiagonal system. All is in double
    precision: in single, the matrix may not be positive for small penalties.

    Args:
        x: shape (n, d), float32.
        y: shape (n,).
        penalties: positive.

    Returns:
        Coefficients of shape (d, penalties) and intercepts of shape (penalties,).
    """
    centred, middle = Design.of(x).centred(), float(y.mean())
    if len(x) < x.shape[1]:
        duals = shifted_solutions(centred.kernel(), y - middle, penalties)
        coefficients = centred.transposed_times(duals)
    else:
        right = centred.transposed_times(y - middle)
        coefficients = shifted_solutions(centred.gram(), right, penalties)
    placed = np.empty_like(coefficients)
    placed[centred.order] = coefficients
    return placed, middle - centred.mean @ coefficients


def shifted_solutions(matrix: Labels, right: Labels, shifts: Sequence[float]) -> Labels:
    """Solves (A + shift I) z = b for each shift.

    Args:
        matrix: A, shape (m, m), symmetric, without negative eigenvalues; only its lower triangle is
            read, and may be overwritten.
        right: b, shape (m,).
        shifts: positive.

    Returns:
        Shape (m, shifts).
    """
    from scipy.linalg import get_lapack_funcs, solveh_banded

    routines: Any = get_lapack_funcs(("ormqr", "sytrd", "sytrd_lwork"), (matrix,))
    ormqr, sytrd, sytrd_lwork = routines
    size = len(matrix)
    if size == 1:
        return right[:, np.newaxis] / (matrix[0, 0] + np.array(shifts))
    work = int(sytrd_lwork(size, lower=1)[0])  # the default has no blocks: half as fast
    reflectors, diagonal, beside, tau, _ = sytrd(matrix, lower=1, lwork=work, overwrite_a=1)
    shifted = reflectors.ravel(order="F")[1 : 1 + size * (size - 1)]
    below = shifted.reshape((size, size - 1), order="F")  # from the second row on, without a copy

    def rotated(columns: Labels, trans: str) -> Labels:
        """Q or Q^T times columns, of Q T Q^T = A; it leaves the first row as it is."""
        rest = np.asfortranarray(columns[1:])
        turned = ormqr("L", trans, below, tau, rest, lwork=64 * (rest.shape[1] + 64))[0]
        return np.concatenate([columns[:1], turned])

    band = np.zeros((2, size))
    band[1, :-1] = beside
    along = rotated(right[:, np.newaxis], "T")[:, 0]
    solved = np.empty((size, len(shifts)))
    for column, shift in enumerate(shifts):
        band[0] = diagonal + shift
        solved[:, column] = solveh_banded(band, along, lower=True, check_finite=False)
    return rotated(solved, "N")
