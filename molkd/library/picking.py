"""Diverse subsets and clusters of a library, by the cosine of embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.errors import ConfigError, InputError
from molkd.library import exact, kmeans
from molkd.library.hits import Queries
from molkd.library.picks import Clusters, Picks
from molkd.library.rows import LibraryRows, rows_of
from molkd.library.searching import embedded
from molkd.types import Matrix, Rows

METHODS = ("maxmin", "kmedoids")

_SAME = 1e-6
"""Distance below which two embeddings are one."""

_BLOCK = 8192


def pick(
    library: Any,
    n: int = 100,
    *,
    method: str = "maxmin",
    around: Any = (),
    seed: int = 0,
    model: str | None = None,
) -> Picks:
    """Picks molecules that differ.

    The first of MaxMin has the largest mean cosine to all, or is the farthest from the molecules of
    `around`. Needs the memory of all embeddings.

    Args:
        library: a library, its file, or what `molkd.library.of` takes.
        n: how many are picked.
        method: "maxmin", which reaches the edges of a library: each is the farthest from all
            before; or "kmedoids", which follows its density: the most central of n clusters each.
        around: SMILES, a data frame, or what `Queries.read` returns, that count as picked before;
            for maxmin.
        seed: of the first centres of kmedoids.
        model: the student that made the library's embeddings, where its file does not say.

    Raises:
        ConfigError: a setting is out of range, or seeds are given to kmedoids.
        InputError: the library cannot be read, or was embedded by another student, or no seed can
            be read.
    """
    if n < 1:
        raise ConfigError(f"n must be at least 1, not {n}")
    if method not in METHODS:
        raise ConfigError(f"method is one of {', '.join(METHODS)}, not {method!r}")
    seeds = around if isinstance(around, Queries) else Queries.of(around)
    if len(seeds) and method != "maxmin":
        raise ConfigError("around is for method maxmin: kmedoids has no picks before its first")
    place = rows_of(library)
    rows, vectors = _vectors(place)
    notes = list[str]()
    if len(rows) < len(place):
        notes.append(f"{len(place) - len(rows):,} of {len(place):,} molecules have no embedding")
    before = _seeded(seeds, place, model, notes)
    if method == "maxmin":
        chosen, distances = farthest_first(vectors, n, before)
    else:
        labels = cluster_labels(vectors, min(n, len(rows)), seed=seed)
        chosen, _ = medoids(vectors, labels)
        distances = nearest_other(vectors[chosen])
    if len(chosen) < n:
        notes.append(
            f"{len(chosen):,} molecules instead of {n:,}: {place.name} holds no more that differ"
        )
    picked = rows[chosen]
    return Picks(picked, place.take(picked), distances, tuple(notes))


def clusters(library: Any, n: int, *, seed: int = 0) -> Clusters:
    """Parts a library into clusters, each with its most central molecule.

    K-means on embeddings of length 1, by mini-batches; every row then belongs to the nearest
    centre, and the medoid of a cluster is exactly the member with the largest mean cosine to all.

    Args:
        library: a library, its file, or what `molkd.library.of` takes.
        n: how many clusters, at most.
        seed: of the first centres.

    Raises:
        ConfigError: n is below 1.
        InputError: the library cannot be read, or holds no embedding.
    """
    if n < 1:
        raise ConfigError(f"clusters must be at least 1, not {n}")
    place = rows_of(library)
    rows, vectors = _vectors(place)
    own = cluster_labels(vectors, min(n, len(rows)), seed=seed)
    central, likeness = medoids(vectors, own)
    sizes = np.bincount(own)
    notes = list[str]()
    if len(central) < n:
        notes.append(f"{len(central):,} clusters instead of {n:,}: no more molecules differ")
    labels = np.full(len(place), -1, dtype=np.int64)
    cosines = np.full(len(place), np.nan, dtype=np.float32)
    labels[rows], cosines[rows] = own, likeness
    every = place.take(np.arange(len(place)))
    return Clusters(labels, cosines, rows[central], sizes, every, tuple(notes))


def _vectors(place: LibraryRows) -> tuple[Rows, Matrix]:
    """Rows that have a direction, and their embeddings of length 1.

    Raises:
        InputError: none has.
    """
    vectors = np.empty((len(place), place.dim), dtype=np.float32)
    rows, row0, count = np.empty(len(place), dtype=np.int64), 0, 0
    for block in place.source.values():
        own = exact.unit(block)
        usable = np.flatnonzero(~np.isnan(own).any(axis=1))
        span = slice(count, count + len(usable))
        vectors[span], rows[span] = own[usable], usable + row0
        row0, count = row0 + len(block), count + len(usable)
    if not count:
        raise InputError(f"{place.name} holds no embedding")
    return rows[:count], vectors[:count]


def _seeded(
    seeds: Queries, place: LibraryRows, model: str | None, notes: list[str]
) -> Matrix | None:
    """Embeddings of the molecules that count as picked; None where there are none."""
    if not len(seeds):
        return None
    vectors, reasons = embedded(seeds, place, model)
    shown = "; ".join(f"seed {row}: {why}" for row, why in list(reasons.items())[:5])
    if len(reasons) == len(seeds):
        raise InputError(f"no seed can be read: {shown}")
    if reasons:
        notes.append(f"{len(reasons)} of {len(seeds)} seeds are left out: {shown}")
    return np.delete(vectors, list(reasons), axis=0)


def farthest_first(vectors: Matrix, n: int, before: Matrix | None = None) -> tuple[Rows, Matrix]:
    """Picks rows one by one, each the farthest from all before (MaxMin; Ashton et al. 2002).

    Args:
        vectors: shape (m, d), of length 1.
        n: how many; fewer where all that are left are equal to one before.
        before: shape (s, d): what counts as picked; by default the first pick is the row with the
            largest mean cosine to all.

    Returns:
        The rows, and 1 - cosine to the nearest of those before, NaN for a first without any.
    """
    picked, distances = list[int](), list[float]()
    if before is None:
        picked.append(int(np.argmax(vectors @ vectors.sum(axis=0))))
        distances.append(np.nan)
        before = vectors[picked]
    nearest = np.full(len(vectors), -np.inf, dtype=np.float32)
    for start in range(0, len(before), 256):
        nearest = np.maximum(nearest, (vectors @ before[start : start + 256].T).max(axis=1))
    while len(picked) < n:
        row = int(np.argmin(nearest))
        if 1 - nearest[row] < _SAME:
            break
        picked.append(row)
        distances.append(1 - float(nearest[row]))
        np.maximum(nearest, vectors @ vectors[row], out=nearest)
    return np.array(picked, dtype=np.int64), np.array(distances, dtype=np.float32)


def cluster_labels(vectors: Matrix, n: int, *, seed: int) -> npt.NDArray[np.int64]:
    """Returns the cluster of each row, from 0, none of them empty, the largest first.

    Args:
        vectors: shape (m, d), of length 1.
        n: clusters at most.
        seed: of the first centres.
    """
    labels = kmeans.nearest(vectors, _different(kmeans.centres(vectors, n, seed=seed)))
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    place = np.empty(len(sizes), dtype=np.int64)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return place[labels]


def _different(centres: Matrix) -> Matrix:
    """Centres without those that equal one before: equal molecules are in one cluster."""
    alike = exact.nearest(centres, [centres], 2)
    twins = np.flatnonzero(1 - alike.cosines.min(axis=1) < _SAME).tolist()
    kept: list[int] = []
    for row in twins:
        if not kept or (1 - centres[kept] @ centres[row]).min() >= _SAME:
            kept.append(row)
    return np.delete(centres, [row for row in twins if row not in {*kept}], axis=0)


def medoids(vectors: Matrix, labels: npt.NDArray[np.int64]) -> tuple[Rows, Matrix]:
    """Returns the row of each cluster with the largest mean cosine to all its members.

    Returns:
        One row per cluster, and the cosine of each row of `vectors` to its own.
    """
    from scipy.sparse import csr_array

    rows, count = np.arange(len(labels)), int(labels.max()) + 1
    members = csr_array((np.ones(len(rows), dtype=np.float32), (labels, rows)))
    likeness = _cosines(vectors, members @ vectors, labels)
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=count))[:-1]
    central = np.array(
        [own[np.argmax(likeness[own])] for own in np.split(order, ends)], dtype=np.int64
    )
    return central, _cosines(vectors, vectors[central], labels)


def _cosines(vectors: Matrix, others: Matrix, places: npt.NDArray[np.int64]) -> Matrix:
    """Product of each row with one of some others, shape (m,)."""
    parts = [
        np.einsum(
            "nd,nd->n", vectors[start : start + _BLOCK], others[places[start : start + _BLOCK]]
        )
        for start in range(0, len(vectors), _BLOCK)
    ]
    return np.concatenate(parts)


def nearest_other(vectors: Matrix) -> Matrix:
    """Returns 1 - cosine of each row to the nearest other one; NaN for one alone."""
    if len(vectors) < 2:
        return np.full(len(vectors), np.nan, dtype=np.float32)
    found = exact.nearest(vectors, [vectors], 2)
    itself = found.rows[:, 0] == np.arange(len(vectors))
    return np.maximum(1 - np.where(itself, found.cosines[:, 1], found.cosines[:, 0]), 0)
