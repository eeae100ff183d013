"""Ridge regression of wide matrices: Lanczos' tridiagonal matrix serves all penalties at once.

Lanczos (1950), J. Res. Nat. Bur. Stand. 45; the Krylov space of X^T X and X^T y is that of
X^T X + penalty I, so that the products of one fit are those of all (Frommer and Maass 1999, "Fast
CG-based methods for Tikhonov-Phillips regularization", SIAM J. Sci. Comput. 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from molkd.benchmarks.probes.standardised import Standardised
from molkd.benchmarks.tasks.task import Labels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_STEPS = 1000
"""Most products, after which the matrix is decomposed."""

_EVERY = 25
"""Products between two looks at what is reached."""

_RESIDUAL = 1e-9
"""Largest residual of a solution, as a share of penalty times solution: its relative error."""

DOUBT = 10.0
"""How many times the last change of its loss a fit must be worse by, to be left unfinished."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Rows that choose a penalty, the one of least squared error.

    Attributes:
        y: shape (m,), labels, of the rows `Standardised.held`.
        middle: mean of the training labels.
        cut: of these rows; see `Standardised.cut`.
    """

    y: Labels
    middle: float
    cut: csr_array | None


def solutions(
    rows: Standardised, right: Labels, penalties: Sequence[float], held: Held | None
) -> Labels | None:
    """Solves (Z^T Z + penalty I) w = Z^T y, columns less their means, for each penalty.

    Args:
        rows: of the design.
        right: y, shape (n,), of mean 0, 0 in rows that are not trained on.
        penalties: positive.
        held: see `Held`; without it all are solved.

    Returns:
        Shape (d, penalties); None where `_STEPS` products did not do.
    """
    by, mask = np.array(penalties), rows.mask
    cut = held.cut if held else None
    v = rows.transposed_times(right[np.newaxis])
    size = float(np.linalg.norm(v))
    if size == 0:
        return np.zeros((v.shape[1], len(by)))
    basis, seen = [v / size], []
    diagonal: list[float] = []
    beside: list[float] = []
    losses = np.full(len(by), np.inf)
    for step in range(1, _STEPS + 1):
        along = rows.times(basis[-1])
        average = float(along[0, rows.train].mean())
        if held:
            other = along[:, rows.held] - average
            seen.append(other if cut is None else other + (cut @ basis[-1].T).T)
        along = (along - average) * mask
        v = rows.transposed_times(along)
        if beside:
            v -= beside[-1] * basis[-2]
        diagonal.append(float(np.vdot(v, basis[-1])))
        v -= diagonal[-1] * basis[-1]
        beside.append(float(np.linalg.norm(v)))
        ended = beside[-1] <= 1e-13 * max(diagonal)
        if step % _EVERY == 0 or ended:
            small = _small(diagonal, beside[:-1], by) * size
            done = beside[-1] * np.abs(small[-1]) <= _RESIDUAL * by * np.linalg.norm(small, axis=0)
            done |= ended
            enough = bool(done.all())
            if held and not enough:
                former = losses
                outputs = np.concatenate(seen).T @ small + held.middle
                losses = ((outputs - held.y[:, np.newaxis]) ** 2).mean(axis=0)
                enough = _decided(losses, np.abs(losses - former), done)
            if enough:
                return np.concatenate(basis).T @ small
        basis.append(v / beside[-1])
    return None


def _decided(losses: Labels, change: Labels, done: np.ndarray) -> bool:
    """Whether the best fit is finished, and others are so, or worse beyond doubt."""
    best = int(np.argmin(losses))
    worse = losses - DOUBT * change > losses[best]
    return bool(done[best] and (done | worse).all())


def _small(diagonal: list[float], beside: list[float], shifts: Labels) -> Labels:
    """(T + shift I)^-1 e_1 of a tridiagonal T, for each shift: shape (steps, shifts)."""
    from scipy.linalg import solveh_banded

    size = len(diagonal)
    if size == 1:  # SciPy takes two rows of bands for a system of two or more
        return (1 / (diagonal[0] + shifts))[np.newaxis]
    first, band = np.eye(size, 1)[:, 0], np.zeros((2, size))
    band[1, :-1] = beside
    found = np.empty((size, len(shifts)))
    for column, shift in enumerate(shifts):
        band[0] = np.array(diagonal) + shift
        found[:, column] = solveh_banded(band, first, lower=True, check_finite=False)
    return found
