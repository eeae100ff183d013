"""Logistic regressions end at the minimum, whatever the rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from molkd.benchmarks.probes import design as designs
from molkd.benchmarks.probes import logistic
from tests.benchmarks.probes.synthetic import gaussian_classes, two_gaussians


def converged(x: np.ndarray, y: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    model = LogisticRegression(C=strength, tol=1e-12, max_iter=100_000, solver="newton-cg")
    model.fit(x.astype(np.float64), y)
    return model.coef_.T, model.intercept_


def equals(x: np.ndarray, y: np.ndarray, strength: float, *, atol: float = 2e-6) -> None:
    found = logistic.minimum(x, y, strength)
    for one, other in zip(found, converged(x, y, strength), strict=True):
        np.testing.assert_allclose(
            one - one.mean(axis=-1, keepdims=True),
            other - other.mean(axis=-1, keepdims=True),
            atol=atol,
        ) if one.shape[-1] > 1 else np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("strength", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize(("n", "d"), [(300, 40), (60, 150), (40, 1)])
def test_two_classes_are_fitted_as_by_scikit_learn(n: int, d: int, strength: float) -> None:
    equals(*two_gaussians(n, d, distance=1.5), strength)


@pytest.mark.parametrize("strength", [1e-3, 1.0])
def test_many_classes_are_fitted_as_by_scikit_learn(strength: float) -> None:
    equals(*gaussian_classes(300, 20, classes=4, distance=1.5), strength)


@pytest.mark.parametrize("n", [300, 40])
def test_sparse_columns_are_fitted_as_by_scikit_learn(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(designs, "NARROW", 1)
    x, y = two_gaussians(n, 60, distance=2)
    x[:, 15:] = x[:, 15:] > 1.8
    equals(x, y, 1.0)


def awkward() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    x, y = two_gaussians(80, 12, distance=2)
    constant = x.copy()
    constant[:, 3] = 0.0
    rare = np.zeros(80)
    rare[5] = 1.0
    far = x.copy()
    far[7, 2] = 1e4
    return {
        "constant column": (constant, y),
        "copies of a column": (np.repeat(x, 8, axis=1), y),
        "copies of a row": (np.repeat(x, 3, axis=0), np.repeat(y, 3)),
        "separable": (x, (x[:, 0] > 0).astype(float)),
        "one positive": (x, rare),
        "one far value": (far, y),
        "nothing but constants": (np.zeros((80, 2), dtype=np.float32), y),
    }


@pytest.mark.parametrize("case", awkward())
def test_awkward_rows_are_fitted_as_by_scikit_learn(case: str) -> None:
    x, y = awkward()[case]
    equals(x, y, 1.0, atol=1e-5)
