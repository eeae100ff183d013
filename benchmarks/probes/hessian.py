"""The Hessian of a logistic regression in single precision: what makes conjugate gradients fast."""

from __future__ import annotations

from typing import Any

import numpy as np

from molkd.benchmarks.probes.standardised import Standardised
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix


class Inverse:
    """An inverse of a Hessian with a penalty; columns beside its own are as good as orthogonal."""

    def __init__(
        self, hessian: Matrix, beside: Labels, linear: Labels, total: float, penalty: float
    ) -> None:
        """Decomposes it.

        Args:
            hessian: see `hessian_of`.
            beside: see `hessian_of`.
            linear: see `hessian_of`.
            total: sum of the weights.
            penalty: on squared coefficients.
        """
        from scipy.linalg import cho_factor

        self._linear, self._total, self._beside = linear, total, beside + penalty
        matrix = hessian.copy()
        diagonal = np.einsum("ii->i", matrix)
        safe = 1e-5 * diagonal.max(initial=0.0)  # what single precision may be wrong by
        diagonal += np.float32(penalty + safe)
        self._factor: Any = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)

    def solve(self, gradient: Labels) -> Labels:
        """Returns steps for gradients, each of shape (m, k, d + 1)."""
        from scipy.linalg import cho_solve

        p, found = len(self._linear), np.empty_like(gradient)
        found[..., p:-1] = gradient[..., p:-1] / self._beside
        if p:
            share = np.multiply.outer(gradient[..., -1] / self._total, self._linear)
            dense = (gradient[..., :p] - share).reshape(-1, p).astype(np.float32)
            solved = cho_solve(self._factor, dense.T, check_finite=False).T
            found[..., :p] = solved.reshape(*gradient.shape[:2], p)
        found[..., -1] = (gradient[..., -1] - found[..., :p] @ self._linear) / self._total
        return found


def hessian_of(view: Standardised, weights: Labels) -> tuple[Matrix, Labels, Labels]:
    """Z^T W Z of dense columns less what an intercept takes up, in single precision; of sparse
    columns its diagonal; and Z^T weights of the dense ones.

    Args:
        view: of one split.
        weights: shape (n,), of all rows.

    Returns:
        Shapes (p, p), (d - p,) and (p,).
    """
    design, p, total = view.design, view.design.dense.shape[1], float(weights.sum())
    scaled = design.single * np.sqrt(weights).astype(np.float32)[:, np.newaxis]
    gram: Any = scaled.T @ scaled
    sums = weights @ design.dense
    mean, factor = view.mean[:p], view.factor[:p]
    gram -= np.multiply.outer(sums / total, sums).astype(np.float32)
    gram *= np.multiply.outer(factor, factor).astype(np.float32)
    beside: Any = np.empty(0)
    if design.sparse.shape[1]:
        own, rare = design.turned @ weights, view.mean[p:]
        beside = design.squares @ weights - rare * (2 * own - rare * total)
        beside *= view.factor[p:] ** 2
    return gram, beside, factor * (sums - total * mean)
