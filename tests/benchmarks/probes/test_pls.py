"""Partial least squares is scikit-learn's, and validation rows choose its components."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from molkd.benchmarks.probes.base import Part
from molkd.benchmarks.probes.pls import Pls, directions
from tests.benchmarks.probes.synthetic import gaussian_line, parts


@pytest.mark.parametrize("columns", [1, 3])
def test_components_are_scikit_learns(columns: int) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 30)) @ np.diag(np.linspace(1, 4, 30))
    y = x @ random.normal(size=(30, columns)) + random.normal(size=(80, columns))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    rotations, loadings = directions(x.copy(), y.copy(), 5)
    model = PLSRegression(5, scale=False, tol=1e-14, max_iter=5000).fit(x, y)
    np.testing.assert_allclose(rotations @ loadings, model.coef_.T, atol=1e-6)


def test_the_best_number_of_components_is_that_of_models_fitted_one_by_one() -> None:
    train, valid, test = parts(gaussian_line(300, 60, r2=0.6), 100, 100, 100)
    fitted = Pls().fit(train, valid, kind="regression", seed=0)
    x = train.x.astype(np.float64)
    models = {count: PLSRegression(count, scale=False).fit(x, train.y) for count in range(1, 25)}
    losses = {
        count: float(np.mean((models[count].predict(valid.x) - valid.y) ** 2))
        for count in Pls().components
    }
    best = min(losses, key=lambda count: losses[count])
    assert fitted.chosen == {"components": best}
    expected = models[best].predict(test.x.astype(np.float64))
    np.testing.assert_allclose(fitted.predict(test.x), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_no_more_components_than_there_are_directions(kind: str) -> None:
    x = np.repeat(np.linspace(-1, 1, 60, dtype=np.float32)[:, np.newaxis], 4, axis=1)
    y = (x[:, 0] > 0.1).astype(np.float64)
    fitted = Pls().fit(Part(x[::2], y[::2]), Part(x[1::2], y[1::2]), kind=kind, seed=0)
    assert fitted.chosen == {"components": 1}
    assert np.corrcoef(fitted.predict(x), y)[0, 1] > 0.8
    blind = np.zeros_like(x)
    none = Pls().fit(Part(blind, y), Part(blind, y), kind=kind, seed=0)
    assert none.chosen == {"components": 0}
    np.testing.assert_allclose(none.predict(blind), y.mean(), atol=1e-3)
