"""The linear probe: logistic and ridge regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


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
        return about(self, "linear", ["scikit-learn", "numpy", "scipy"])

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
        """Single precision: the solver is three times as fast, scores move in the fourth digit."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(warm_start=True, max_iter=self.steps, tol=self.tolerance)
        losses: list[float] = []
        planes: list[tuple[Labels, Labels]] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for strength in self.strengths:
                model.set_params(C=strength).fit(train.x, train.y)
                planes.append(_planes(model, kind))
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
        """Double precision: in single, the Gram matrix may not be positive for small alphas."""
        from sklearn.linear_model import Ridge

        targets = np.tile(train.y[:, None], (1, len(self.alphas)))  # one copy per alpha
        ridge = Ridge(solver="cholesky").set_params(alpha=np.array(self.alphas))
        ridge.fit(train.x.astype(np.float64), targets)
        planes = np.reshape(ridge.coef_, (len(self.alphas), -1)), np.atleast_1d(ridge.intercept_)
        predicted = _line(valid.x, planes[0].T, planes[1])
        losses = [squared_error(valid.y, column) for column in predicted.T]
        best = int(np.argmin(losses))
        coefficients, intercept = (each[best].copy() for each in planes)
        return Fitted(lambda x: _line(x, coefficients, intercept), {"alpha": self.alphas[best]})


def _planes(model: LogisticRegression, kind: Kind) -> tuple[Labels, Labels]:
    """Copies of what gives the outputs: coefficients of shape (d,) or (d, k), and intercepts."""
    coefficients, intercept = np.asarray(model.coef_), np.atleast_1d(model.intercept_)
    if kind == "classification":
        return np.array(coefficients[0]), np.array(intercept)
    if len(model.classes_) == 2:  # one plane stands for both
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercept = np.array([0.0, *intercept])
    classes = model.classes_
    return (
        spread(coefficients.T, classes, absent=0.0),
        spread(intercept[np.newaxis], classes, absent=-np.inf)[0],
    )


@threadpool_limits.wrap(limits=1)
def _line(x: Matrix, coefficients: Labels, intercept: Labels) -> Labels:
    return x.astype(np.float64) @ coefficients + intercept
