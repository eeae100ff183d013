"""The linear probe equals scikit-learn's, fitted once for every strength."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from molkd.benchmarks.probes import linear
from molkd.benchmarks.probes.base import Part
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.probes.logistic import logistic_path
from tests.benchmarks.probes.synthetic import (
    gaussian_classes,
    gaussian_line,
    parts,
    two_gaussians,
)


@pytest.mark.parametrize(("n", "d"), [(120, 15), (60, 150)])
def test_ridge_is_the_best_of_all_alphas_fitted_one_by_one(n: int, d: int) -> None:
    train, valid, test = parts(gaussian_line(n + 150, d, r2=0.6), n, 50, 100)
    fitted = Linear().fit(train, valid, kind="regression", seed=0)
    models = {
        alpha: Ridge(alpha).fit(train.x.astype(np.float64), train.y) for alpha in Linear().alphas
    }
    best = min(models, key=lambda alpha: np.mean((models[alpha].predict(valid.x) - valid.y) ** 2))
    assert fitted.chosen == {"alpha": best}
    assert Linear().alphas[0] > best > Linear().alphas[-1]  # else the test shows nothing
    np.testing.assert_allclose(fitted.predict(test.x), models[best].predict(test.x), atol=1e-6)


def test_logistic_regression_is_the_best_of_all_strengths_fitted_one_by_one() -> None:
    train, valid, test = parts(two_gaussians(600, 60, distance=2), 200, 200, 200)
    fitted = Linear().fit(train, valid, kind="classification", seed=0)
    models = {
        c: LogisticRegression(C=c, max_iter=1000).fit(train.x.astype(np.float64), train.y)
        for c in Linear().strengths
    }
    best = min(models, key=lambda c: log_loss(valid.y, models[c].predict_proba(valid.x)))
    assert fitted.chosen == {"C": best}
    assert 1e-4 < best < 1
    expected = models[best].predict_proba(test.x)[:, 1]
    np.testing.assert_allclose(fitted.predict(test.x), expected, atol=2e-3)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_noise_is_regularised_strongly(kind: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(600, 50)).astype(np.float32), rng.normal(size=600)
    y = (y > 0).astype(np.float64) if kind == "classification" else y
    train, valid = parts((x, y), 300, 300)
    chosen = Linear().fit(train, valid, kind=kind, seed=0).chosen
    assert chosen.get("C", 0) <= 1e-3
    assert chosen.get("alpha", 1e9) >= 100


def test_classes_that_a_plane_separates_are_separated() -> None:
    x = np.random.default_rng(0).normal(size=(900, 10)).astype(np.float32)
    train, valid, test = parts((x, (x[:, 0] > 0.3).astype(np.float64)), 600, 200, 100)
    fitted = Linear().fit(train, valid, kind="classification", seed=0)
    assert fitted.chosen == {"C": 1.0}
    assert ((fitted.predict(test.x) > 0.5) == test.y).mean() > 0.95


def test_copies_of_a_column_do_not_break_the_solver() -> None:
    train, valid, test = parts(gaussian_line(300, 5, r2=0.9), 200, 50, 50)
    for part in (train, valid, test):
        object.__setattr__(part, "x", np.repeat(part.x, 60, axis=1))
    fitted = Linear(alphas=(0.1,)).fit(train, valid, kind="regression", seed=0)
    assert np.corrcoef(fitted.predict(test.x), test.y)[0, 1] > 0.9


def test_weaker_regularisation_is_not_tried_after_the_loss_has_risen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[float] = []

    def counted(
        x: np.ndarray, y: np.ndarray, strengths: tuple[float, ...], **stops: float
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for strength, planes in zip(
            strengths, logistic_path(x, y, strengths, **stops), strict=False
        ):
            tried.append(strength)
            yield planes

    monkeypatch.setattr(linear, "logistic_path", counted)
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 200)).astype(np.float32)
    y = (x[:, 0] + 2 * random.normal(size=400) > 0).astype(float)
    train, valid = Part(x[:200], y[:200]), Part(x[200:], y[200:])
    impatient = Linear().fit(train, valid, kind="classification", seed=0)
    few = tried.copy()
    tried.clear()
    patient = Linear(patience=5).fit(train, valid, kind="classification", seed=0)
    assert few == tried[: len(few)]
    assert len(few) < len(tried) == len(Linear().strengths)
    assert impatient.chosen == patient.chosen
    assert few[-2] == impatient.chosen["C"]


@pytest.mark.parametrize("classes", [2, 4])
def test_every_fit_of_the_path_is_scikit_learns(classes: int) -> None:
    x, y = gaussian_classes(300, 40, classes=classes, distance=1.5)
    x[:, 15:] = x[:, 15:] > 1.8  # counts: 96 of 100 rows hold the same value
    model = LogisticRegression(warm_start=True, max_iter=300)
    strengths = Linear().strengths
    for strength, (coefficients, intercept) in zip(
        strengths, logistic_path(x, y, strengths, steps=300, tolerance=1e-4), strict=True
    ):
        model.set_params(C=strength).fit(x.astype(np.float64), y)
        np.testing.assert_allclose(coefficients.T, model.coef_, atol=1e-7)
        np.testing.assert_allclose(intercept, model.intercept_, atol=1e-7)
