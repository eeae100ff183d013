"""The linear probe: logistic and ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import (
    LINKS,
    LOSSES,
    Fitted,
    Part,
    about,
    check,
    spread,
    squared_error,
)
from molkd.benchmarks.probes.logistic import logistic_path
from molkd.benchmarks.probes.ridge import ridge_path
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Logistic regression by L-BFGS, of two or many classes, or ridge regression in closed form.

    Attributes:
        strengths: inverse regularisations C of the logistic regression, ascending: each fit starts
            from the solution of the stronger one before.
        alphas: regularisations of the ridge regression, descending. Of equally good candidates
            of either kind the one with most regularisation wins.
        steps: most steps of L-BFGS per candidate; where they end is part of the probe.
        tolerance: largest gradient at which L-BFGS stops.
        patience: candidates in a row without a smaller loss on the validation rows, after which
            weaker regularisations, the slowest fits of all, are not tried.
    """

    strengths: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    alphas: tuple[float, ...] = tuple(float(alpha) for alpha in np.logspace(6, -1, 15))
    steps: int = 300
    tolerance: float = 1e-4
    patience: int = 1

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "linear", ["numpy", "scipy"])

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
        if kind == "regression":
            return self._regress(train, valid)
        return self._classify(train, valid, kind)

    def _classify(self, train: Part, valid: Part, kind: Kind) -> Fitted:
        classes, places = np.unique(train.y, return_inverse=True)
        losses: list[float] = []
        planes: list[tuple[Labels, Labels]] = []
        path = logistic_path(
            train.x,
            places.astype(np.float64),
            self.strengths,
            steps=self.steps,
            tolerance=self.tolerance,
        )
        for coefficients, intercept in path:
            planes.append(_planes(coefficients, intercept, classes, kind))
            losses.append(LOSSES[kind](valid.y, _line(valid.x, *planes[-1])))
            if len(losses) - 1 - int(np.argmin(losses)) >= self.patience:
                break
        best = int(np.argmin(losses))
        coefficients, intercept = planes[best]
        return Fitted(
            lambda x: LINKS[kind](_line(x, coefficients, intercept)),
            {"C": self.strengths[best]},
        )

    def _regress(self, train: Part, valid: Part) -> Fitted:
        planes = ridge_path(train.x, train.y, self.alphas)
        predicted = _line(valid.x, *planes)
        losses = [squared_error(valid.y, column) for column in predicted.T]
        best = int(np.argmin(losses))
        coefficients, intercept = (each[..., best].copy() for each in planes)
        return Fitted(lambda x: _line(x, coefficients, intercept), {"alpha": self.alphas[best]})


def _planes(
    coefficients: Labels, intercept: Labels, classes: Labels, kind: Kind
) -> tuple[Labels, Labels]:
    """What gives the outputs: coefficients of shape (d,) or (d, k), and intercepts."""
    if kind == "classification":
        return coefficients[:, 0], intercept
    if len(classes) == 2:  # one plane stands for both
        coefficients = np.pad(coefficients, ((0, 0), (1, 0)))
        intercept = np.pad(intercept, (1, 0))
    return (
        spread(coefficients, classes, absent=0.0),
        spread(intercept[np.newaxis], classes, absent=-np.inf)[0],
    )


@threadpool_limits.wrap(limits=1)
def _line(x: Matrix, coefficients: Labels, intercept: Labels) -> Labels:
    return x.astype(np.float64) @ coefficients + intercept
