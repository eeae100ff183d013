"""Nearest neighbours by comparing all rows: a product of matrices, block by block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from molkd.types import Matrix, Rows

_QUERIES = 512
"""Queries that meet a block of rows at once: 16 MB of cosines."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest rows of each query, nearest first; equally near ones in their order.

    Attributes:
        rows: shape (q, k); -1 where there are no more.
        cosines: shape (q, k); -inf there.
    """

    rows: Rows
    cosines: Matrix

    @classmethod
    def none(cls, queries: int, k: int) -> Self:
        """Returns no neighbours yet of some queries."""
        rows = np.full((queries, k), -1, dtype=np.int64)
        return cls(rows, np.full((queries, k), -np.inf, dtype=np.float32))

    def compete(
        self, places: Rows, queries: Matrix, vectors: npt.NDArray[np.floating], rows: Rows
    ) -> None:
        """Lets more rows compete with the nearest so far.

        Args:
            places: which of the queries, shape (q,).
            queries: those queries, shape (q, d), of length 1.
            vectors: shape (b, d), of length 1; NaN rows are never near.
            rows: which rows they are, shape (b,).
        """
        k = self.rows.shape[1]
        with np.errstate(invalid="ignore"):
            cosines = queries @ np.asarray(vectors, dtype=np.float32).T
        cosines[np.isnan(cosines)] = -np.inf
        numbers = np.broadcast_to(rows, cosines.shape)
        if cosines.shape[1] > k:
            ahead = _first(cosines, numbers, k)
            cosines, numbers = (np.take_along_axis(one, ahead, 1) for one in (cosines, numbers))
        cosines = np.concatenate([self.cosines[places], cosines], axis=1)
        numbers = np.concatenate([self.rows[places], numbers], axis=1)
        order = np.lexsort((numbers, -cosines), axis=1)[:, :k]
        cosines = np.take_along_axis(cosines, order, 1)
        self.cosines[places] = cosines
        self.rows[places] = np.where(
            np.isneginf(cosines), -1, np.take_along_axis(numbers, order, 1)
        )


def _first(cosines: Matrix, numbers: Rows, k: int) -> Rows:
    """The places of the k largest of each row, of equal ones those of the lowest numbers."""
    ahead = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    least = np.take_along_axis(cosines, ahead, 1).min(axis=1)
    tied = ((cosines >= least[:, np.newaxis]).sum(axis=1) > k) & np.isfinite(least)
    for row in np.flatnonzero(tied).tolist():
        some = np.flatnonzero(cosines[row] >= least[row])
        ahead[row] = some[np.lexsort((numbers[row, some], -cosines[row, some]))[:k]]
    return ahead


def unit(values: Matrix) -> Matrix:
    """Returns rows of length 1; NaN where a row has no direction, or no values.

    Args:
        values: shape (n, d).
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return values / np.linalg.norm(values, axis=1, keepdims=True)


def nearest(queries: Matrix, blocks: Iterable[Matrix], k: int) -> Neighbours:
    """Finds the rows with the largest cosines.

    Args:
        queries: shape (q, d), of length 1.
        blocks: shape (b, d) each, consecutive rows of any length; NaN rows are never found.
        k: how many, at most, of each query.
    """
    best, row0 = Neighbours.none(len(queries), k), 0
    for block in blocks if len(queries) else ():
        vectors, rows = unit(block), np.arange(row0, row0 + len(block))
        for start in range(0, len(queries), _QUERIES):
            places = np.arange(start, min(start + _QUERIES, len(queries)))
            best.compete(places, queries[places], vectors, rows)
        row0 += len(block)
    return best


def recalls(keys: Rows, true: Rows, found: Rows, k: int) -> npt.NDArray[np.float64]:
    """Returns the share of the nearest rows that are found, 1 where there are none; shape (q,).

    Args:
        keys: shape (q,), rows that are asked for; none is its own neighbour.
        true: shape (q, k + 1), their nearest.
        found: shape (q, k + 1), what is to be as good.
        k: how many neighbours count.
    """
    shares = np.ones(len(keys))
    triples = zip(keys.tolist(), true.tolist(), found.tolist(), strict=True)
    for place, (key, wanted, got) in enumerate(triples):
        due, there = ([row for row in rows if row not in {key, -1}][:k] for rows in (wanted, got))
        if due:
            shares[place] = len(set(due) & set(there)) / len(due)
    return shares
