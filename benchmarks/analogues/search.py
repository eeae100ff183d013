"""Exact search: where the analogues of each active stand among decoys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from molkd.benchmarks.quality.zero_shot import directions
from molkd.types import Matrix, Rows

_BLOCK = 512  # actives that are compared with a chunk of decoys at once


class Similarity(Protocol):
    """How alike two molecules are by their embeddings; the larger, the more alike."""

    def place(self, values: Matrix) -> Matrix:
        """Prepares embeddings for `between`, each once; shape (n, d)."""
        ...

    def between(self, left: Matrix, right: Matrix) -> Matrix:
        """Compares prepared embeddings; shape (m, d) and (n, d) give (m, n), float32."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Cosine:
    """Cosine of embeddings, each dimension shifted and scaled before; 0 where one of them is 0.

    Attributes:
        shift: shape (d,), or 0.
        scale: shape (d,), or 1.
    """

    shift: npt.NDArray[np.float64] | float = 0.0
    scale: npt.NDArray[np.float64] | float = 1.0

    def place(self, values: Matrix) -> Matrix:
        """See `Similarity.place`."""
        scaled = (values.astype(np.float64) - self.shift) / self.scale
        return directions(scaled).astype(np.float32)

    def between(self, left: Matrix, right: Matrix) -> Matrix:
        """See `Similarity.between`."""
        return left @ right.T


def standardised(chunks: Iterable[Matrix]) -> Cosine:
    """Returns the cosine of embeddings with mean 0 and variance 1 over given rows.

    Dimensions that are constant there are shifted alone.

    Args:
        chunks: the rows, some at a time; each of shape (m, d).
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    for chunk in chunks:
        scaler.partial_fit(chunk.astype(np.float64))
    return Cosine(np.asarray(scaler.mean_), np.asarray(scaler.scale_))


class Tanimoto:
    """Bits in common over bits of either; 0 where neither has one."""

    def place(self, values: Matrix) -> Matrix:
        """See `Similarity.place`; what is not 0 is a bit."""
        return (values != 0).astype(np.float32)

    def between(self, left: Matrix, right: Matrix) -> Matrix:
        """See `Similarity.between`; whole numbers until the division, so that ties are exact."""
        common = left @ right.T
        either = left.sum(axis=1)[:, None] + right.sum(axis=1) - common
        return common / np.maximum(either, 1)


@threadpool_limits.wrap(limits=1)
def ranks(
    similarity: Similarity, series: Sequence[Matrix], decoys: Iterable[Matrix]
) -> list[list[Rows]]:
    """Returns at what rank each active finds its analogues.

    An active looks among the decoys and the other members of its series. Of equal similarities
    decoys stand first: an embedding that says nothing finds nothing.

    Args:
        similarity: decides the order.
        series: embeddings of members, each of shape (m, d) with m at least 2.
        decoys: embeddings, some at a time, each of shape (n, d); read once.

    Returns:
        Of each series, of each member: m - 1 ranks, ascending, counted from 1.
    """
    placed = [similarity.place(members) for members in series]
    sought = [_descending(similarity.between(one, one)) for one in placed]
    wanted = [row for own in sought for row in own]
    actives = np.concatenate(placed)
    ahead = [np.zeros(len(row), dtype=np.int64) for row in wanted]
    for chunk in decoys:
        near = similarity.place(chunk)
        for start in range(0, len(actives), _BLOCK):
            found = np.sort(similarity.between(actives[start : start + _BLOCK], near), axis=1)
            for row, values in enumerate(found, start):
                ahead[row] += len(near) - np.searchsorted(values, wanted[row], side="left")
    rest = iter(ahead)
    return [[next(rest) + np.arange(1, len(own)) for _ in own] for own in sought]


def share(ranks: Rows, neighbours: int) -> float:
    """Returns the share of analogues that are among the first neighbours; of as many as can be.

    Args:
        ranks: of all analogues of an active.
        neighbours: how many count.
    """
    return float((ranks <= neighbours).sum() / min(neighbours, len(ranks)))


def _descending(similarities: Matrix) -> Matrix:
    """Shape (m, m) -> (m, m - 1): what each has with the others, the most alike first."""
    count = len(similarities)
    others = similarities[~np.eye(count, dtype=np.bool_)].reshape(count, count - 1)
    return -np.sort(-others, axis=1)
