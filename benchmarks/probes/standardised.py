"""Rows of a shared design matrix, standardised by the training rows of one fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from molkd.benchmarks.probes.design import Design
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Mask, Matrix, Rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_LOST = 1e-8
"""Share of its variance over all rows below which that of training rows has lost too many digits,
here and in a Gram matrix from which other rows are taken away."""


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """A design matrix, seen by one fit: Z = (X - mean) factor, never stored.

    Attributes:
        design: of all rows that any fit trains or is chosen on.
        train: rows that are fitted to.
        held: rows that choose.
        mean: shape (d,), of the training rows, in the units of the design.
        factor: shape (d,), 1 / sd likewise; 0 for a column that is constant there.
        limit: what other rows are cut off at; see `inputs.Scaler`.
    """

    design: Design
    train: Rows
    held: Rows
    mean: Labels
    factor: Labels
    limit: float

    @classmethod
    def plain(cls, design: Design, train: Rows, held: Rows) -> Self:
        """Leaves the matrix that the design was made of as it is, as it is scaled already."""
        return cls(design, train, held, -design.origin / design.unit, design.unit, np.inf)

    @property
    def mask(self) -> Labels:
        """Shape (n,): 1 in training rows, 0 in others."""
        mask = np.zeros(self.design.shape[0])
        mask[self.train] = 1.0
        return mask

    def times(self, w: Labels) -> Labels:
        """Returns Z w for rows of coefficients, shape (m, d), without a cut: shape (m, n)."""
        v = self.factor * w
        return self.design.times(v) - (v @ self.mean)[:, np.newaxis]

    def transposed_times(self, r: Labels) -> Labels:
        """Returns Z^T r for rows of residuals, shape (m, n): shape (m, d)."""
        sums = r.sum(axis=1, keepdims=True)
        return (self.design.transposed_times(r) - sums * self.mean) * self.factor

    def cut(self, design: Design) -> csr_array | None:
        """Returns what the limit takes off Z in a design of the same columns; None for nothing.

        Shape (n, d), in units of Z: what is to be added.
        """
        from scipy.sparse import coo_array, csr_array, hstack

        low, high = design.bounds
        beyond = np.maximum(self.mean - low, high - self.mean) * self.factor > self.limit
        if not beyond.any():
            return None
        p = design.dense.shape[1]
        columns = np.flatnonzero(beyond[:p])
        z = (design.dense[:, columns] - self.mean[columns]) * self.factor[columns]
        off = coo_array(np.clip(z, -self.limit, self.limit) - z)
        shape = (len(z), p)
        dense = csr_array((off.data, (off.row, columns[off.col])), shape=shape)
        if not design.sparse.shape[1]:
            return dense
        of = design.sparse.indices
        z = (design.sparse.data - self.mean[p:][of]) * self.factor[p:][of]
        off = np.clip(z, -self.limit, self.limit) - z
        kept = csr_array((off, of, design.sparse.indptr), shape=design.sparse.shape, copy=True)
        kept.eliminate_zeros()
        return csr_array(hstack([dense, kept]))

    def outputs(self, design: Design, w: Labels) -> Labels:
        """Returns Z w, cut off, of a design of the same columns, for w of shape (m, d): (m, n)."""
        v = self.factor * w
        found = design.times(v) - (v @ self.mean)[:, np.newaxis]
        cut = self.cut(design)
        return found if cut is None else found + (cut @ w.T).T

    def matrix(self, rows: Rows) -> Labels:
        """Returns rows of Z, shape (m, d), without a cut."""
        some = self.design.at(rows)
        whole = np.concatenate([some.dense, some.sparse.toarray()], axis=1)
        return (whole - self.mean) * self.factor


def by_training_rows(
    x: Matrix, design: Design, parts: Sequence[tuple[Rows, Rows]]
) -> list[Standardised] | None:
    """Standardises a design by each of several parts of its rows.

    Args:
        x: shape (n, d), float32, what the design was made of.
        design: of the same rows.
        parts: training rows and those that choose, for each fit.

    Returns:
        One per part; None where a column hardly varies in the training rows of one part but does
        so in other rows, so that its values there cannot be told from these.
    """
    masks = np.zeros((len(parts), len(x)))
    for mask, (train, _) in zip(masks, parts, strict=True):
        mask[train] = 1.0
    counts = masks.sum(axis=1, keepdims=True)
    means = design.transposed_times(masks) / counts
    squares = (masks @ design.dense**2) / counts
    if design.sparse.shape[1]:
        squares = np.concatenate([squares, (design.squares @ masks.T).T / counts], axis=1)
    variances = squares - means**2
    found: list[Standardised] = []
    for (train, held), mean, variance, square in zip(parts, means, variances, squares, strict=True):
        doubtful = np.flatnonzero(variance <= np.maximum(1e-6 * square, _LOST))
        constant = _constant(x[np.ix_(train, design.order[doubtful])])
        factor = 1 / np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny))
        factor[doubtful[constant]] = 0.0
        if not constant.all():
            rare = doubtful[~constant]
            if (rare < design.dense.shape[1]).any() or (variance <= 1e-6 * square)[rare].any():
                return None
        found.append(Standardised(design, train, held, mean, factor, float(np.sqrt(len(train)))))
    return found


def _constant(x: Matrix) -> Mask:
    return x.min(axis=0) == x.max(axis=0)
