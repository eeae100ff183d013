"""What embeddings say as they are, with nothing trained: clusters, neighbours, cosines."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Protocol, cast

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

Sides = tuple[Matrix, ...]
"""Embeddings of the items, shape (n, d); in pairs, those of what they are compared with beside."""


class Measure(Protocol):
    """A way to answer a question without training: a frozen dataclass of its options."""

    def predict(self, sides: Sides, probe_task: ProbeTask) -> Labels:
        """Returns what the metric compares with the labels of the test rows; shape (m,)."""
        ...


@dataclass(frozen=True, kw_only=True)
class KMeans:
    """Clusters of the test rows, as many as they have classes: the only thing their labels decide.

    Attributes:
        starts: of k-means++, each from another draw; the most compact clusters count.
        steps: most of Lloyd's iterations.
    """

    starts: int = 5
    steps: int = 100

    @threadpool_limits.wrap(limits=1)
    def predict(self, sides: Sides, probe_task: ProbeTask) -> Labels:
        """Returns the number of the cluster of each test row; the seed draws the starts."""
        from sklearn import cluster
        from sklearn.exceptions import ConvergenceWarning

        rows = probe_task.split.test
        count = len(np.unique(probe_task.y[rows]))
        starts = cast("Any", self.starts)
        model = cluster.KMeans(
            count, n_init=starts, max_iter=self.steps, random_state=probe_task.seed
        )
        with warnings.catch_warnings():  # of fewer different points than clusters
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit_predict(sides[0][rows]).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The class of the training row with the largest cosine; the first of equal ones.

    Attributes:
        block: test rows that are compared with all training rows at once.
    """

    block: int = 1024

    @threadpool_limits.wrap(limits=1)
    def predict(self, sides: Sides, probe_task: ProbeTask) -> Labels:
        """Returns classes."""
        train, test = probe_task.split.train, probe_task.split.test
        known = directions(sides[0][train])
        nearest = [
            (directions(sides[0][test[start : start + self.block]]) @ known.T).argmax(axis=1)
            for start in range(0, len(test), self.block)
        ]
        return probe_task.y[train[np.concatenate(nearest)]]


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """The cosine between the two items of a pair; 0 where an embedding is 0."""

    def predict(self, sides: Sides, probe_task: ProbeTask) -> Labels:
        """Returns cosines."""
        first, second = (directions(side[probe_task.split.test]) for side in sides)
        return np.einsum("nd,nd->n", first, second)


def directions(x: Matrix | Labels) -> Labels:
    """Returns rows divided by their norms, shape (n, d), float64; a row of zeros stays."""
    values = x.astype(np.float64)
    largest = np.abs(values).max(axis=1, keepdims=True, initial=0.0)
    values /= np.where(largest > 0, largest, 1.0)  # squares of the largest must not overflow
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(norm > 0, norm, 1.0)


MEASURES: Mapping[str, type[Measure]] = {"kmeans": KMeans, "nearest": Nearest, "cosine": Cosine}
"""Name -> measure; see `kinds.TaskKind.measure`."""


def describe(name: str) -> dict[str, object]:
    """Returns all that decides the numbers of a measure, JSON-like, to be part of a digest."""
    options = asdict(MEASURES[name]())  # pyright: ignore[reportArgumentType]  (all are dataclasses)
    versions = {library: version(library) for library in ("scikit-learn", "numpy")}
    return {"name": name, **options, "versions": versions}
