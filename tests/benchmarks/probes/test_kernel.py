"""The kernel probe is scikit-learn's kernel ridge regression, and bends where a line cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import KernelCenterer

from molkd.benchmarks.probes import Part
from molkd.benchmarks.probes.kernel import Kernel
from molkd.benchmarks.probes.linear import Linear


def _wave(n: int, seed: int = 0) -> Part:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    return Part(x, np.sin(2 * x[:, 0]) * x[:, 1] + 0.1 * rng.normal(size=n))


def test_predictions_are_those_of_kernel_ridge_regression() -> None:
    train, valid, test = _wave(200), _wave(80, 1), _wave(80, 2)
    fitted = Kernel().fit(train, valid, kind="regression", seed=0)
    gamma = fitted.chosen["width"] / train.x.var(axis=0).sum()
    centre = KernelCenterer()
    kernel = centre.fit_transform(rbf_kernel(train.x.astype(float), gamma=gamma))
    options: Any = {"alpha": fitted.chosen["alpha"]}
    model = KernelRidge(**options, kernel="precomputed")
    model.fit(kernel, train.y - train.y.mean())
    across = rbf_kernel(test.x.astype(float), train.x.astype(float), gamma=gamma)
    expected = model.predict(centre.transform(across)) + train.y.mean()
    np.testing.assert_allclose(fitted.predict(test.x), expected, atol=2e-3)


def test_the_best_width_and_penalty_of_the_validation_rows_are_taken() -> None:
    train, valid = _wave(150), _wave(80, 1)

    def loss(width: float) -> float:
        predicted = Kernel(widths=(width,)).fit(train, valid, kind="regression", seed=0)
        return float(np.mean((predicted.predict(valid.x) - valid.y) ** 2))

    losses = {width: loss(width) for width in Kernel().widths}
    found = Kernel().fit(train, valid, kind="regression", seed=0)
    assert found.chosen["width"] == min(losses, key=lambda width: losses[width])


def test_few_landmarks_are_nearly_as_good_and_drawn_by_the_seed() -> None:
    train, valid, test = _wave(600), _wave(100, 1), _wave(200, 2)

    def predicted(seed: int, landmarks: int) -> np.ndarray:
        probe = Kernel(landmarks=landmarks)
        return probe.fit(train, valid, kind="regression", seed=seed).predict(test.x)

    few, other = predicted(0, 200), predicted(1, 200)
    assert not np.array_equal(few, other)
    assert np.array_equal(predicted(0, 600), predicted(1, 600)), "all rows need no draw"
    assert np.corrcoef(few, test.y)[0, 1] > 0.95


@pytest.mark.parametrize("copies", [1, 3])
def test_classes_that_no_line_tells_apart(copies: int) -> None:
    """Repeated rows, too, whose kernel has no inverse."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.float64)
    train = Part(np.tile(x[:200], (copies, 1)), np.tile(y[:200], copies))
    valid = Part(x[200:300], y[200:300])
    chances = Kernel().fit(train, valid, kind="classification", seed=0).predict(x[300:])
    line = Linear().fit(train, valid, kind="classification", seed=0).predict(x[300:])
    assert roc_auc_score(y[300:], chances) > 0.95
    assert roc_auc_score(y[300:], line) < 0.7
