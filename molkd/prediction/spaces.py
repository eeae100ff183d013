"""Where distances between molecules are measured: of embeddings, and of counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from molkd.benchmarks.probes.tanimoto import Counts
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix, Rows

Nearest = Callable[[Matrix, Matrix, int], tuple[Labels, Rows]]
"""(places of n compounds, of m others, count) -> distances and rows of the nearest, (m, count).

The row is -1 where there is nothing in common: which of many is then the nearest is chance."""

COMPONENTS = 64
"""Principal components that distances are measured on."""

_STANDARD = 10.0
_AT_ONCE = 1024


class Space(NamedTuple):
    """Distances of Euclid, on principal components; in units of the compounds' mean length.

    Attributes:
        mean: shape (d,), of the columns that the model reads.
        sd: shape (d,), their standard deviations.
        axes: shape (d, k), principal components of the standardised columns.
    """

    mean: Labels
    sd: Labels
    axes: Matrix

    def of(self, x: Matrix) -> Matrix:
        """Returns places, shape (n, k)."""
        return _standard(x, self.mean, self.sd) @ self.axes

    @property
    def nearest(self) -> Nearest:
        """Finds the nearest."""
        return _by_euclid

    @property
    def beyond(self) -> float:
        """A distance from which on nothing is known."""
        return np.inf


class CountSpace(NamedTuple):
    """One less the Tanimoto similarity of counts.

    What no measured compound has is part of a molecule's size here, and nothing on principal
    components, by which hydrogen was near to every series.

    Attributes:
        counted: number of columns, the first ones, that are counts.
    """

    counted: Labels

    def of(self, x: Matrix) -> Matrix:
        """Returns places, shape (n, k)."""
        return x[:, : int(self.counted)]

    @property
    def nearest(self) -> Nearest:
        """Finds the nearest."""
        return _ByTanimoto()

    @property
    def beyond(self) -> float:
        """A distance from which on nothing is known."""
        return 0.9


def space_of(x: Matrix, counted: int = 0) -> Space | CountSpace:
    """Returns the space of measured compounds.

    Args:
        x: shape (n, d), what a model reads of them.
        counted: how many of the columns, the first ones, are counts, by which distances are
            measured then.
    """
    if counted:
        return CountSpace(np.array(counted))
    mean, sd = x.mean(axis=0), x.std(axis=0)
    sd[sd < 1e-6 * np.abs(mean).max(initial=1e-6)] = 1.0  # what never varies says nothing
    z = _standard(x, mean, sd).astype(np.float64)
    wide = z.shape[1] > len(z)
    values, vectors = np.linalg.eigh(z @ z.T if wide else z.T @ z)
    largest = np.argsort(-values, kind="stable")[:COMPONENTS]
    there = values[largest] > 1e-6 * values[largest[0]]
    there[0] = True  # of compounds that are all alike, too
    axes = vectors[:, largest[there]]
    if wide:
        axes = z.T @ axes / np.sqrt(np.maximum(values[largest[there]], 1e-6))
    return Space(mean.astype(np.float32), sd.astype(np.float32), axes.astype(np.float32))


def _standard(x: Matrix, mean: Labels, sd: Labels) -> Matrix:
    return np.clip((x - mean) / sd, -_STANDARD, _STANDARD).astype(np.float32)


def _by_euclid(known: Matrix, places: Matrix, count: int) -> tuple[Labels, Rows]:
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(known)
    distances, rows = search.kneighbors(places)
    return distances / (float(np.sqrt((known**2).sum(axis=1).mean())) or 1.0), rows


class _ByTanimoto:
    """Keeps what it makes of compounds, for a library asks for the same ones again and again."""

    def __init__(self) -> None:
        self._known: tuple[Matrix, Counts] | None = None

    def __call__(self, known: Matrix, places: Matrix, count: int) -> tuple[Labels, Rows]:
        if self._known is None or self._known[0] is not known:
            self._known = known, Counts.of(known)
        nearest, found = list[Labels](), list[Rows]()
        for start in range(0, len(places), _AT_ONCE):
            distances = 1 - self._known[1].similarity(places[start : start + _AT_ONCE]).T
            rows = np.argsort(distances, axis=1, kind="stable")[:, :count]
            nearest.append(np.take_along_axis(distances, rows, axis=1))
            found.append(np.where(nearest[-1] < 1, rows, -1))
        return np.concatenate(nearest), np.concatenate(found)
