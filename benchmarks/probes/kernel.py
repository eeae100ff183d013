"""The probe of kernel machines: ridge or logistic regression on a Gaussian kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import logit
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import LOSSES, Fitted, Part, about, check
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

_LEAST = 1e-12
"""Probability that counts at least in the loss that chooses."""

_JITTER = 1e-8
"""What is added to the kernel's diagonal, of ones, so that equal rows can be landmarks."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """The linear probe on features whose inner products are a Gaussian kernel.

    Features are those of Nystroem's method (Williams & Seeger, NIPS 2000): exact where training
    rows are no more than `landmarks`, else the kernel as seen from as many random ones.

    Attributes:
        widths: gamma times the summed variance of the training rows' columns, each in turn.
        landmarks: training rows at most that span the features.
        strengths: see `Linear`; likewise `alphas`. Of equally good widths the first wins.
        alphas: see `strengths`.
    """

    widths: tuple[float, ...] = (0.1, 0.3, 1.0)
    landmarks: int = 3000
    strengths: tuple[float, ...] = (1e-2, 1e-1, 1.0, 1e1, 1e2)
    alphas: tuple[float, ...] = tuple(float(alpha) for alpha in np.logspace(3, -3, 13))

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "kernel", ["numpy", "scipy"])

    @threadpool_limits.wrap(limits=1)
    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """See `Probe.fit`; the seed draws the landmarks where rows are more."""
        check(train, valid, kind)
        rows = np.arange(len(train.y))
        if len(rows) > self.landmarks:
            rows = np.sort(np.random.default_rng(seed).choice(rows, self.landmarks, replace=False))
        spread = float(train.x.var(axis=0, dtype=np.float64).sum()) or 1.0
        linear = Linear(strengths=self.strengths, alphas=self.alphas)
        losses: list[float] = []
        models: list[tuple[_Features, Fitted]] = []
        for width in self.widths:
            features = _Features.of(train.x[rows], width / spread)
            inner, held = (Part(features(part.x), part.y) for part in (train, valid))
            models.append((features, linear.fit(inner, held, kind=kind, seed=seed)))
            predicted = models[-1][1].predict(held.x)
            losses.append(LOSSES[kind](valid.y, _outputs(predicted, kind)))
        best = int(np.argmin(losses))
        features, fitted = models[best]
        return Fitted(
            lambda x: fitted.predict(features(x)), {"width": self.widths[best], **fitted.chosen}
        )


@dataclass(frozen=True, eq=False)
class _Features:
    """Rows -> features.

    Attributes:
        landmarks: shape (m, d).
        gamma: of the kernel, exp(-gamma |a - b|^2).
        root: shape (m, m), lower triangular: times its transpose it is the landmarks' kernel.
    """

    landmarks: Matrix
    gamma: float
    root: Labels

    @classmethod
    def of(cls, landmarks: Matrix, gamma: float) -> Self:
        from scipy.linalg import cholesky

        kernel = _kernel(landmarks, landmarks, gamma)
        kernel[np.diag_indices_from(kernel)] += _JITTER
        return cls(landmarks, gamma, cholesky(kernel, lower=True, overwrite_a=True))

    @threadpool_limits.wrap(limits=1)
    def __call__(self, x: Matrix) -> Matrix:
        from scipy.linalg import solve_triangular

        across = _kernel(self.landmarks, x, self.gamma)
        found: Any = solve_triangular(self.root, across, lower=True, overwrite_b=True)
        return found.T.astype(np.float32)


def _kernel(one: Matrix, other: Matrix, gamma: float) -> Labels:
    """Shape (n, m)."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    squares = (a * a).sum(axis=1)[:, np.newaxis] + (b * b).sum(axis=1) - 2 * (a @ b.T)
    return np.exp(-gamma * np.maximum(squares, 0.0))


def _outputs(predicted: Labels, kind: Kind) -> Labels:
    """What `LOSSES` reads."""
    if kind == "regression":
        return predicted
    inside = np.clip(predicted, _LEAST, 1 - _LEAST)
    return logit(inside) if kind == "classification" else np.log(inside)
