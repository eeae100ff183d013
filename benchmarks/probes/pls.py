"""The probe of chemometrics: partial least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes import logistic
from molkd.benchmarks.probes.base import LINKS, LOSSES, Fitted, Part, about, check, spread
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

LEAST = 1e-10
"""Share of the first covariance, or of the spread of the rows, below which nothing is left."""


@dataclass(frozen=True, kw_only=True)
class Pls:
    """Partial least squares; validation rows choose the number of components.

    Directions are found one after another, each of largest covariance with what is left of the
    labels (NIPALS, Wold 1975; the same as scikit-learn's PLSRegression). Classes are fitted as
    columns of 0 and 1, and a logistic regression on the components makes probabilities of them.

    Attributes:
        components: how many, each in turn; those beyond the rank of the training rows are left out.
            Of equally good candidates the first wins.
        strength: inverse regularisation C of the logistic regression.
    """

    components: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24)
    strength: float = 1.0

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "pls", ["numpy", "scipy"])

    @threadpool_limits.wrap(limits=1)
    def fit(
        self,
        train: Part,
        valid: Part,
        *,
        kind: Kind,
        seed: int,  # noqa: ARG002  (part of the protocol)
    ) -> Fitted:
        """See `Probe.fit`; nothing here is random."""
        check(train, valid, kind)
        classes = np.unique(train.y)
        columns = train.y[:, np.newaxis]
        if kind == "multiclass" and len(classes) > 2:
            columns = (columns == classes).astype(np.float64)
        middle = train.x.mean(axis=0, dtype=np.float64)
        rotations, loadings = directions(
            train.x - middle, columns - columns.mean(axis=0), max(self.components)
        )
        found = rotations.shape[1]
        candidates = [count for count in self.components if count <= found] or [found]
        scores = (train.x - middle) @ rotations
        planes: list[tuple[Labels, Labels]] = []
        losses: list[float] = []
        for count in candidates:
            if kind == "regression":
                inner = loadings[:count, 0], np.array(train.y.mean())
            else:
                inner = self._logistic(scores[:, :count], train.y, classes, kind)
            coefficients = rotations[:, :count] @ inner[0]
            planes.append((coefficients, inner[1] - middle @ coefficients))
            losses.append(LOSSES[kind](valid.y, _line(valid.x, *planes[-1])))
        best = int(np.argmin(losses))
        plane = planes[best]
        return Fitted(
            lambda x: LINKS[kind](_line(x, *plane)), {"components": float(candidates[best])}
        )

    def _logistic(
        self, scores: Labels, y: Labels, classes: Labels, kind: Kind
    ) -> tuple[Labels, Labels]:
        """Coefficients of components of variance 1, put back to theirs, and intercepts."""
        spreads = scores.std(axis=0)
        coefficients, intercept = logistic.minimum(
            (scores / spreads).astype(np.float32),
            np.searchsorted(classes, y).astype(np.float64),
            self.strength,
        )
        coefficients = coefficients / spreads[:, np.newaxis]
        if kind == "classification":
            return coefficients[:, 0], intercept
        if len(classes) == 2:  # one plane stands for both
            coefficients = np.pad(coefficients, ((0, 0), (1, 0)))
            intercept = np.pad(intercept, (1, 0))
        return (
            spread(coefficients, classes, absent=0.0),
            spread(intercept[np.newaxis], classes, absent=-np.inf)[0],
        )


def directions(x: Labels, y: Labels, most: int) -> tuple[Labels, Labels]:
    """Finds the components of partial least squares.

    Args:
        x: shape (n, d), of mean 0; overwritten.
        y: shape (n, k), of mean 0; overwritten.
        most: how many; fewer where `x` has fewer, or nothing of `y` is left.

    Returns:
        Rotations of shape (d, c), which give the components of `x`, and loadings of shape (c, k),
        with which these predict `y`.
    """
    weights, backs, loadings = [], [], []
    whole, first = float(np.vdot(x, x)), 0.0
    for _ in range(most):
        left, sizes, _ = np.linalg.svd(x.T @ y, full_matrices=False)
        first = first or float(sizes[0])
        component = x @ left[:, 0]
        length = float(component @ component)
        if sizes[0] <= LEAST * first or length <= LEAST * whole:
            break
        weights.append(left[:, 0])
        backs.append(component @ x / length)
        loadings.append(component @ y / length)
        x -= np.multiply.outer(component, backs[-1])
        y -= np.multiply.outer(component, loadings[-1])
    if not weights:
        return np.empty((x.shape[1], 0)), np.empty((0, y.shape[1]))
    across = np.transpose(weights)
    return across @ np.linalg.inv(np.array(backs) @ across), np.array(loadings)


@threadpool_limits.wrap(limits=1)
def _line(x: Matrix, coefficients: Labels, intercept: Labels) -> Labels:
    return x.astype(np.float64) @ coefficients + intercept
