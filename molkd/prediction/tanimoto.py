"""Ridge and logistic regression on the Tanimoto kernel of counts, as estimators of scikit-learn.

The probe of `molkd.benchmarks.probes.tanimoto`, for what is kept in a file: no closure, and of the
features no more than a weight per landmark, so that a library is predicted without solving.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.kernel import LANDMARKS
from molkd.benchmarks.probes.tanimoto import Counts, features_of
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

STEPS = 2000
"""Iterations of logistic regression, at most."""


class _OnTanimoto(BaseEstimator):
    """A linear model of features whose inner products are the Tanimoto similarity.

    Attributes:
        landmarks_: shape (m, d), the counts that others are compared with.
        dual_coef_: shape (m,), what similarity to each of them counts.
        intercept_: what is added.
    """

    landmarks_: Matrix
    dual_coef_: Labels
    intercept_: float
    landmarks: int
    random_state: int

    @threadpool_limits.wrap(limits=1)
    def fit(self, x: Matrix, y: Labels) -> Self:
        """Fits to rows of counts, (n, d), and labels, (n,)."""
        self.landmarks_, features = features_of(x, most=self.landmarks, seed=self.random_state)
        linear = self._linear().fit(features(x), y)
        weights = np.ravel(linear.coef_).astype(np.float64)
        self.dual_coef_ = solve_triangular(features.root.T, weights)
        self.intercept_ = float(np.ravel(linear.intercept_)[0])
        self.__dict__.pop("_counts", None)
        return self

    def decision_function(self, x: Matrix) -> Labels:
        """Returns shape (n,), of rows of counts."""
        return self.dual_coef_ @ self._counts.similarity(x) + self.intercept_

    @cached_property
    def _counts(self) -> Counts:
        return Counts.of(self.landmarks_)

    def __getstate__(self) -> dict[str, Any]:
        """What is kept: not what is made of the landmarks."""
        state: Any = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_counts"}

    def _linear(self) -> Any:
        raise NotImplementedError


class TanimotoRidge(RegressorMixin, _OnTanimoto):
    """Ridge regression on the Tanimoto kernel: the mean of a Gaussian process of that covariance.

    Attributes:
        alpha: variance of the noise over that of what is sought.
        landmarks: compounds that the kernel is seen from, at most; exact where there are no more.
        random_state: draws them.
    """

    def __init__(
        self, alpha: float = 1.0, *, landmarks: int = LANDMARKS, random_state: int = 0
    ) -> None:
        """See the attributes."""
        self.alpha, self.landmarks, self.random_state = alpha, landmarks, random_state

    def _linear(self) -> Any:
        return Ridge(self.alpha)

    def fit(self, x: Matrix, y: Labels) -> Self:
        """Fits to rows of counts, (n, d), and labels, (n,)."""
        middle = float(np.mean(y))  # features have single precision, and so far-off labels would
        super().fit(x, y - middle)
        self.intercept_ += middle
        return self

    def predict(self, x: Matrix) -> Labels:
        """Returns shape (n,), of rows of counts."""
        return self.decision_function(x)


class TanimotoClassifier(ClassifierMixin, _OnTanimoto):
    """Logistic regression of classes 0 and 1 on the Tanimoto kernel.

    Attributes:
        C: inverse of the penalty.
        landmarks: as `TanimotoRidge`.
        random_state: likewise.
    """

    def __init__(
        self, C: float = 1.0, *, landmarks: int = LANDMARKS, random_state: int = 0
    ) -> None:
        """See the attributes."""
        self.C, self.landmarks, self.random_state = C, landmarks, random_state

    def _linear(self) -> Any:
        return LogisticRegression(C=self.C, max_iter=STEPS)

    def fit(self, x: Matrix, y: Labels) -> Self:
        """Fits to rows of counts, (n, d), and classes, (n,)."""
        self.classes_ = np.unique(y)
        return super().fit(x, y)

    def predict_proba(self, x: Matrix) -> Labels:
        """Returns shape (n, 2), of rows of counts."""
        positive = expit(self.decision_function(x))
        return np.column_stack([1 - positive, positive])

    def predict(self, x: Matrix) -> Labels:
        """Returns shape (n,), the likelier class."""
        return self.classes_[(self.decision_function(x) > 0).astype(np.int64)]
