"""Symmetric systems (A + shift I) z = b for many shifts, from one tridiagonal decomposition.

A wide matrix is decomposed in single precision, which takes half the time; conjugate gradients in
double precision, with that decomposition as their preconditioner, then need three or four steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

WIDE = 1024
"""Smallest size that is decomposed in single precision."""

_RESIDUAL = 1e-12
"""Largest residual of a solution, as a share of the right side."""

_STEPS = 30
"""Of conjugate gradients, after which the matrix is decomposed in double precision."""

_ROUNDED = 4e-7
"""Error of eigenvalues in single precision, as a share of the largest: what makes them positive."""


def solutions(matrix: Labels, right: Labels, shifts: Sequence[float]) -> Labels:
    """Solves (A + shift I) z = b for each shift.

    Args:
        matrix: A, shape (m, m), symmetric, without negative eigenvalues; only its lower triangle is
            read, and may be overwritten.
        right: b, shape (m,).
        shifts: positive.

    Returns:
        Shape (m, shifts).
    """
    by = np.array(shifts)
    sides = np.repeat(right[:, np.newaxis], len(by), axis=1)
    found = _refined(matrix, sides, by) if len(matrix) >= WIDE else None
    return Tridiagonal.of(matrix).solve(sides, by) if found is None else found


@dataclass(frozen=True, slots=True, eq=False)
class Tridiagonal:
    """Q T Q^T of a symmetric matrix.

    Attributes:
        diagonal: of T, shape (m,).
        beside: of T, shape (m - 1,).
        below: reflectors of Q, shape (m, m - 1), from the second row on.
        tau: of these, shape (m - 1,).
    """

    diagonal: Labels | Matrix
    beside: Labels | Matrix
    below: Labels | Matrix
    tau: Labels | Matrix

    @classmethod
    def of(cls, matrix: Labels | Matrix) -> Self:
        """Decomposes a matrix in its own precision; its lower triangle may be overwritten."""
        from scipy.linalg import get_lapack_funcs

        size = len(matrix)
        if size == 1:
            none = np.empty(0)
            return cls(matrix[0], none, np.empty((1, 0)), none)
        routines: Any = get_lapack_funcs(("sytrd", "sytrd_lwork"), (matrix,))
        sytrd, sytrd_lwork = routines
        work = int(sytrd_lwork(size, lower=1)[0])  # the default has no blocks: half as fast
        reflectors, diagonal, beside, tau, _ = sytrd(matrix, lower=1, lwork=work, overwrite_a=1)
        shifted = reflectors.ravel(order="F")[1 : 1 + size * (size - 1)]
        below = shifted.reshape((size, size - 1), order="F")  # without a copy
        return cls(diagonal, beside, below, tau)

    def solve(self, sides: Labels, shifts: Labels) -> Labels:
        """Returns (Q T Q^T + shift I)^-1 b, column by column: shape (m, k).

        Args:
            sides: shape (m, k).
            shifts: one per column, shape (k,).
        """
        from scipy.linalg import solveh_banded

        if len(sides) == 1:
            return sides / (self.diagonal + shifts)
        along = self._turned(sides, "T")
        band = np.zeros((2, len(sides)))
        band[1, :-1] = self.beside
        for column, shift in enumerate(shifts):
            band[0] = self.diagonal + shift
            along[:, column] = solveh_banded(band, along[:, column], lower=True, check_finite=False)
        return self._turned(along, "N")

    def _turned(self, columns: Labels, trans: str) -> Labels:
        """Q or Q^T times columns; it leaves the first row as it is."""
        from scipy.linalg import get_lapack_funcs

        ormqr: Any = get_lapack_funcs(("ormqr",), (self.below,))[0]
        rest = np.asfortranarray(columns[1:], dtype=self.below.dtype)
        work = 64 * (rest.shape[1] + 64)
        turned = np.empty(columns.shape)
        turned[0], turned[1:] = columns[0], ormqr("L", trans, self.below, self.tau, rest, work)[0]
        return turned


def _refined(matrix: Labels, sides: Labels, shifts: Labels) -> Labels | None:
    """Solutions by conjugate gradients, each side by itself; None where they do not end."""
    from scipy.linalg import get_blas_funcs

    symm: Any = get_blas_funcs(("symm",), (matrix,))[0]
    rough = Tridiagonal.of(np.asfortranarray(matrix, dtype=np.float32))
    safe = shifts + _ROUNDED * float(np.abs(rough.diagonal).max())
    least = _RESIDUAL * np.linalg.norm(sides, axis=0)

    def times(columns: Labels, live: Any) -> Labels:
        return symm(1.0, matrix, np.asfortranarray(columns), lower=1) + columns * shifts[live]

    found = rough.solve(sides, safe)
    residuals = sides - times(found, slice(None))
    along, former = np.zeros_like(found), np.ones(len(shifts))
    for _ in range(_STEPS):
        live = np.flatnonzero(np.linalg.norm(residuals, axis=0) > least)
        if not len(live):
            return found
        solved = rough.solve(residuals[:, live], safe[live])
        inner = (residuals[:, live] * solved).sum(axis=0)
        along[:, live] = solved + inner / former[live] * along[:, live]
        former[live] = inner
        moved = times(along[:, live], live)
        step = inner / (along[:, live] * moved).sum(axis=0)
        found[:, live] += step * along[:, live]
        residuals[:, live] -= step * moved
    return None
