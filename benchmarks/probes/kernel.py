"""The probe of kernel machines: ridge or logistic regression on a Gaussian kernel."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import logit
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import LOSSES, Fitted, Part, about, check
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix, Rows

_LEAST = 1e-12
"""Probability that counts at least in the loss that chooses."""

LANDMARKS = 3000
"""Training rows at most that span the features."""

_JITTER = 1e-8
"""What is added to the kernel's diagonal, of ones, so that equal rows can be landmarks."""


def alphas_of() -> tuple[float, ...]:
    """Returns the penalties of ridge regression on features of a kernel, the strongest first."""
    return tuple(float(alpha) for alpha in np.logspace(3, -3, 13))


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
    landmarks: int = LANDMARKS
    strengths: tuple[float, ...] = (1e-2, 1e-1, 1.0, 1e1, 1e2)
    alphas: tuple[float, ...] = alphas_of()

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "kernel", ["numpy", "scipy"])

    @threadpool_limits.wrap(limits=1)
    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """See `Probe.fit`; the seed draws the landmarks where rows are more."""
        check(train, valid, kind)
        landmarks = train.x[landmarks_of(len(train.x), self.landmarks, seed)]
        spread = float(train.x.var(axis=0, dtype=np.float64).sum()) or 1.0
        linear = Linear(strengths=self.strengths, alphas=self.alphas)
        losses: list[float] = []
        models: list[tuple[Features, Fitted]] = []
        for width in self.widths:
            kernel = functools.partial(_gaussian, landmarks, gamma=width / spread)
            features = Features.of(kernel(landmarks), kernel)
            inner, held = (Part(features(part.x), part.y) for part in (train, valid))
            models.append((features, linear.fit(inner, held, kind=kind, seed=seed)))
            predicted = models[-1][1].predict(held.x)
            losses.append(LOSSES[kind](valid.y, _outputs(predicted, kind)))
        best = int(np.argmin(losses))
        features, fitted = models[best]
        return Fitted(
            lambda x: fitted.predict(features(x)), {"width": self.widths[best], **fitted.chosen}
        )


def landmarks_of(count: int, most: int, seed: int) -> Rows:
    """Returns all of a number of rows, or as many random ones, ascending."""
    rows = np.arange(count)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return rows


@dataclass(frozen=True, eq=False)
class Features:
    """Rows -> features.

    Attributes:
        kernel: rows, shape (n, d) -> of the landmarks with each, shape (m, n).
        root: shape (m, m), lower triangular: times its transpose it is the landmarks' kernel.
    """

    kernel: Callable[[Matrix], Labels]
    root: Labels

    @classmethod
    def of(cls, landmarks: Labels, kernel: Callable[[Matrix], Labels]) -> Self:
        """Returns features of a kernel, given that of the landmarks, which is overwritten."""
        from scipy.linalg import cholesky

        landmarks[np.diag_indices_from(landmarks)] += _JITTER
        return cls(kernel, cholesky(landmarks, lower=True, overwrite_a=True))

    @threadpool_limits.wrap(limits=1)
    def __call__(self, x: Matrix) -> Matrix:
        """Returns shape (n, m), float32."""
        from scipy.linalg import solve_triangular

        across = self.kernel(x)
        found: Any = solve_triangular(self.root, across, lower=True, overwrite_b=True)
        return found.T.astype(np.float32)


def _gaussian(one: Matrix, other: Matrix, *, gamma: float) -> Labels:
    """exp(-gamma |a - b|^2), shape (m, n)."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    squares = (a * a).sum(axis=1)[:, np.newaxis] + (b * b).sum(axis=1) - 2 * (a @ b.T)
    return np.exp(-gamma * np.maximum(squares, 0.0))


def _outputs(predicted: Labels, kind: Kind) -> Labels:
    """What `LOSSES` reads."""
    if kind == "regression":
        return predicted
    inside = np.clip(predicted, _LEAST, 1 - _LEAST)
    return logit(inside) if kind == "classification" else np.log(inside)
