"""Logistic regression, of two or many classes, for a path of penalties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, log_softmax

from molkd.benchmarks.probes.design import Design
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

_LEAST_GAIN = 64 * float(np.finfo(np.float64).eps)
"""Relative decrease of the loss below which L-BFGS stops too; as in scikit-learn."""

_LINE_SEARCH = 50
"""Most evaluations in one line search; as in scikit-learn."""


def logistic_path(
    x: Matrix, y: Labels, strengths: Sequence[float], *, steps: int, tolerance: float
) -> Iterator[tuple[Labels, Labels]]:
    """Yields the planes of each strength C, fitted from those of the one before.

    What is minimised is mean log-loss + |w|^2 / (2 C n), by L-BFGS with scikit-learn's settings and
    from its start, so that it goes the same way and stops at the same step.

    Args:
        x: shape (n, d), float32.
        y: shape (n,), places of classes: 0 or 1, or 0 to k - 1 for k > 2.
        strengths: C, in the order of the fits.
        steps: most steps of each.
        tolerance: largest entry of the gradient at which a fit ends.

    Yields:
        Coefficients of shape (d, k) and intercepts of shape (k,); k is 1 of two classes.
    """
    from scipy.optimize import minimize

    planes = int(y.max()) + 1 if y.max() > 1 else 1
    loss = _Loss(Design.of(x), y, (x.shape[1] + 1, planes))
    options = {"maxiter": steps, "gtol": tolerance, "ftol": _LEAST_GAIN, "maxls": _LINE_SEARCH}
    weights = np.zeros(loss.shape[0] * planes)
    for strength in strengths:
        penalty = 1 / (strength * len(x))
        weights = minimize(
            loss, weights, (penalty,), method="L-BFGS-B", jac=True, options=options
        ).x
        plane = weights.reshape(loss.shape)
        yield plane[:-1], plane[-1]


@dataclass(frozen=True, slots=True)
class _Loss:
    """What is minimised, over coefficients and intercepts end to end.

    Attributes:
        design: of the rows.
        y: shape (n,), places of classes.
        shape: of the weights, (d + 1, k): the last row holds the intercepts.
    """

    design: Design
    y: Labels
    shape: tuple[int, int]

    def __call__(self, flat: Labels, penalty: float) -> tuple[float, Labels]:
        """Returns mean loss with penalty, and its gradient."""
        w, n = flat.reshape(self.shape), len(self.y)
        losses = _two_classes if self.shape[1] == 1 else _many_classes
        loss, residuals = losses(self.y, self.design.times(w[:-1]) + w[-1])
        gradient = np.empty_like(w)
        gradient[:-1] = self.design.transposed_times(residuals / n) + penalty * w[:-1]
        gradient[-1] = residuals.sum(axis=0) / n
        return loss / n + penalty / 2 * float(np.vdot(w[:-1], w[:-1])), gradient.ravel()


def _two_classes(y: Labels, logits: Labels) -> tuple[float, Labels]:
    """Sum of the losses, and its gradient by the logits, shape (n, 1)."""
    single = logits[:, 0]
    loss = -float(log_expit(np.where(y > 0, single, -single)).sum())
    return loss, (expit(single) - y)[:, np.newaxis]


def _many_classes(y: Labels, logits: Labels) -> tuple[float, Labels]:
    """Sum of the losses, and its gradient by the logits, shape (n, k)."""
    logs = log_softmax(logits, axis=1)
    own = np.arange(len(y)), y.astype(int)
    residuals = np.exp(logs)
    residuals[own] -= 1
    return -float(logs[own].sum()), residuals
