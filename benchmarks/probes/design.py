"""Design matrices of many rows, shared by all fits; columns that rarely vary are sparse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix, Rows

RARE = 0.1
"""Largest share of rows that differ from a column's usual value where only these are stored."""

MANY = 0.5
"""Smallest share of such columns that is worth two kinds of products."""

NARROW = 768
"""Columns up to which all are dense: a matrix of d x d is cheap then."""


@dataclass(frozen=True, eq=False)
class Design:
    """A matrix of shape (n, d) in units of its own, dense columns first.

    Nineteen of twenty entries of a fingerprint are the smallest of their column. Left out of all
    products, they make these ten times faster, at the same values.

    Attributes:
        order: shape (d,), which columns of the matrix its columns are.
        origin: shape (d,), what is subtracted from each: the mean of a dense one, the smallest
            value of a sparse one.
        unit: shape (d,), what it is then divided by: sd of a dense one, where it varies; 1.
        dense: shape (n, p), float64.
        sparse: shape (n, d - p), float64, a sparse array of SciPy.
    """

    order: Rows
    origin: Labels
    unit: Labels
    dense: Labels
    sparse: Any

    @classmethod
    def of(cls, x: Matrix) -> Self:
        """Splits a matrix of shape (n, d), float32."""
        least = x.min(axis=0)
        rare = np.zeros(x.shape[1], dtype=np.bool_)
        if x.shape[1] > NARROW:
            differs = x > least
            often = differs.view(np.uint8).sum(axis=0, dtype=np.uint32)
            rare = often <= RARE * len(x)
            rare &= bool(rare.sum() >= MANY * len(rare))
        kept, others = np.flatnonzero(~rare), np.flatnonzero(rare)
        origin, varies = least.astype(np.float64), (x.max(axis=0) > least)[kept]
        order, p = np.concatenate([kept, others]), len(kept)
        dense = x[:, kept].astype(np.float64)
        origin[kept] = dense.mean(axis=0)
        dense -= origin[kept]
        sd = np.sqrt(np.square(dense).mean(axis=0))
        unit = np.ones(len(order))
        unit[:p][varies & (sd > 0)] = sd[varies & (sd > 0)]
        dense /= unit[:p]
        return cls(order, origin[order], unit, dense, _sparse(x, others, least[others]))

    def alike(self, x: Matrix) -> Design:
        """Returns other rows in the same units; they decide nothing."""
        p = self.dense.shape[1]
        dense = x[:, self.order[:p]].astype(np.float64)
        dense -= self.origin[:p]
        dense /= self.unit[:p]
        sparse = _sparse(x, self.order[p:], self.origin[p:].astype(np.float32))
        return Design(self.order, self.origin, self.unit, dense, sparse)

    def at(self, rows: Rows) -> Design:
        """Returns some of the rows, in the same units."""
        dense, sparse = self.dense[rows], self.sparse[rows]
        return Design(self.order, self.origin, self.unit, dense, sparse)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return len(self.dense), len(self.order)

    @cached_property
    def single(self) -> Matrix:
        """The dense columns in single precision."""
        return self.dense.astype(np.float32)

    @cached_property
    def short(self) -> Any:
        """The sparse columns in single precision."""
        return self.sparse.astype(np.float32)

    @cached_property
    def short_turned(self) -> Any:
        """The same as rows."""
        return self.turned.astype(np.float32)

    @cached_property
    def turned(self) -> Any:
        """The sparse columns as rows."""
        return self.sparse.T.tocsr()

    @cached_property
    def squares(self) -> Any:
        """The squares of the sparse columns, as rows."""
        return self.turned.power(2)

    @cached_property
    def bounds(self) -> tuple[Labels, Labels]:
        """Least and largest value of each column, each of shape (d,)."""
        sides = (self.dense.min(axis=0), self.dense.max(axis=0))
        if not self.sparse.shape[1]:
            return sides
        rare = (self.sparse.min(axis=0), self.sparse.max(axis=0))
        low, high = (
            np.concatenate([one, other.toarray().ravel()])
            for one, other in zip(sides, rare, strict=True)
        )
        return low, high

    def times(self, w: Labels, *, rough: bool = False) -> Labels:
        """Returns X w for each of m rows of coefficients, shape (m, n).

        Args:
            w: shape (m, d).
            rough: dense columns in single precision.
        """
        p = self.dense.shape[1]
        dense: Any = self.single if rough else self.dense
        sparse = self.short if rough else self.sparse
        w = w.astype(dense.dtype, copy=False)
        found = w[:, :p] @ dense.T
        return found + (sparse @ w[:, p:].T).T if w.shape[1] > p else found

    def transposed_times(self, r: Labels, *, rough: bool = False) -> Labels:
        """Returns X^T r for each of m rows of residuals, shape (m, d); see `times`."""
        dense: Any = self.single if rough else self.dense
        turned = self.short_turned if rough else self.turned
        r = r.astype(dense.dtype, copy=False)
        found = r @ dense
        return np.concatenate([found, (turned @ r.T).T], axis=1) if turned.shape[0] else found


def _sparse(x: Matrix, columns: Rows, least: Matrix) -> Any:
    """Some columns less a usual value of each, shape (n, len(columns))."""
    from scipy.sparse import csr_array

    if not len(columns):
        return csr_array((len(x), 0))
    rows, places = np.nonzero(x[:, columns] != least)
    values = x[rows, columns[places]].astype(np.float64) - least[places]
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(x)))])
    return csr_array((values, places, ends), shape=(len(x), len(columns)))
