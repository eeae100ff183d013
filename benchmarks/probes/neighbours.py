"""The probe without a model: what the nearest training rows say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import logit
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import LINKS, LOSSES, Fitted, Part, about, check, count_of
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

TOUCHING = 1e-4
"""Below this distance neighbours weigh the same: rounding is as large."""


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The mean label of the k nearest training rows, found by comparing with all of them.

    Distance is Euclidean, between rows or between their directions (rows divided by their norm,
    which ranks as cosine similarity does). Directions suit sparse fingerprints, where the norm
    tells little but how many bits are set; rows suit narrow embeddings, where it tells much.
    Validation rows choose between them, as they choose number and weighting of neighbours.

    A probability counts one more neighbour, as the training rows are on average: otherwise one
    confident error would cost infinite log-loss. For one k this leaves the ranking as it is.

    Attributes:
        neighbours: k, each in turn; those above the number of training rows are left out.
    """

    neighbours: tuple[int, ...] = (50, 20, 10, 5, 3, 1)

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "knn", ["scikit-learn", "numpy"])

    @threadpool_limits.wrap(limits=1)
    def fit(
        self,
        train: Part,
        valid: Part,
        *,
        kind: Kind,
        seed: int,  # noqa: ARG002  (part of the protocol)
    ) -> Fitted:
        """See `Probe.fit`; nothing here is random.

        Of equal candidates rows win over directions, then earlier k over later, then equal weights
        over weights that fall with the distance.
        """
        check(train, valid, kind)
        ks = [k for k in self.neighbours if k <= len(train.y)] or [len(train.y)]
        losses: dict[_Rule, float] = {}
        for directions in (False, True):
            search = _Search(train, max(ks), directions=directions)
            near = search.nearest(valid.x)
            for k, weighted in product(ks, (False, True)):
                rule = _Rule(search, kind, k, weighted)
                losses[rule] = LOSSES[kind](valid.y, rule.outputs(near))
        best = min(losses, key=lambda rule: losses[rule])

        @threadpool_limits.wrap(limits=1)
        def predict(x: Matrix) -> Labels:
            return LINKS[kind](best.outputs(best.search.nearest(x)))

        return Fitted(predict, best.chosen)


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """The nearest training rows of m rows: distances and labels, both of shape (m, k)."""

    distances: Labels
    labels: Labels


class _Search:
    """Finds training rows near to others."""

    def __init__(self, train: Part, most: int, *, directions: bool) -> None:
        from sklearn.neighbors import NearestNeighbors

        self.directions = directions
        self.y = train.y
        self._index = NearestNeighbors(n_neighbors=most, algorithm="brute")
        self._index.fit(self._placed(train.x))

    def nearest(self, x: Matrix) -> _Near:
        """Returns the nearest training rows of each row, the nearest first."""
        if not len(x):
            return _Near(np.empty((0, 1)), np.empty((0, 1)))
        distances, rows = self._index.kneighbors(self._placed(x))
        return _Near(distances.astype(np.float64), self.y[rows])

    def _placed(self, x: Matrix) -> Matrix:
        from sklearn.preprocessing import normalize

        return np.asarray(normalize(x), dtype=np.float32) if self.directions else x


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """One candidate: how many neighbours found by which search, and how they are weighted."""

    search: _Search
    kind: Kind
    k: int
    weighted: bool

    @property
    def chosen(self) -> dict[str, float]:
        """What `Fitted.chosen` holds."""
        return {
            "directions": float(self.search.directions),
            "k": float(self.k),
            "weighted": float(self.weighted),
        }

    def outputs(self, near: _Near) -> Labels:
        """Mean labels, shape (m,); of classes their shares, as log-odds or log-probabilities."""
        weights = np.ones_like(near.distances[:, : self.k])
        if self.weighted:
            weights = 1 / np.maximum(near.distances[:, : self.k], TOUCHING)
        labels = near.labels[:, : self.k]
        if self.kind == "multiclass":
            return self._log_shares(labels, weights)
        mean = np.average(labels, axis=1, weights=weights)
        if self.kind == "regression":
            return mean
        return logit((mean * self.k + self.search.y.mean()) / (self.k + 1))

    def _log_shares(self, labels: Labels, weights: Labels) -> Labels:
        """Shape (m, k): the logarithms of the shares of all classes among the neighbours."""
        count = count_of(self.search.y)
        overall = np.bincount(self.search.y.astype(int), minlength=count) / len(self.search.y)
        shares = np.zeros((len(labels), count))
        rows = np.arange(len(labels))[:, np.newaxis]
        np.add.at(shares, (rows, labels.astype(int)), weights)
        shares /= weights.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):  # classes without any training row
            return np.log((shares * self.k + overall) / (self.k + 1))
