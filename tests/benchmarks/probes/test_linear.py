"""The linear probe equals scikit-learn's, fitted once for every strength."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from molkd.benchmarks.probes import design as designs
from molkd.benchmarks.probes import linear, ridge
from molkd.benchmarks.probes.base import Part, Question
from molkd.benchmarks.probes.inputs import Scaler
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.probes.logistic import Fits
from molkd.benchmarks.tasks.kinds import Kind
from tests.benchmarks.probes.synthetic import (
    gaussian_classes,
    gaussian_line,
    parts,
    two_gaussians,
)

STEP = Fits.step


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


def _fits_asked(monkeypatch: pytest.MonkeyPatch, probe: Linear, sample: list[Part]) -> set[float]:
    """Which strengths took a step."""
    asked: set[int] = set()

    def noted(self: Fits, which: np.ndarray) -> None:
        asked.update(which.tolist())
        STEP(self, which)

    monkeypatch.setattr(Fits, "step", noted)
    probe.fit(*sample, kind="classification", seed=0)
    return {probe.strengths[place] for place in asked}


def test_weaker_regularisation_is_not_tried_after_the_loss_has_risen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 200)).astype(np.float32)
    y = (x[:, 0] + 2 * random.normal(size=400) > 0).astype(float)
    sample = [Part(x[:200], y[:200]), Part(x[200:], y[200:])]
    chosen = [
        Linear(patience=patience).fit(*sample, kind="classification", seed=0).chosen
        for patience in (1, 5)
    ]
    assert chosen[0] == chosen[1]
    assert len(_fits_asked(monkeypatch, Linear(), sample)) < len(Linear().strengths)
    assert len(_fits_asked(monkeypatch, Linear(patience=5), sample)) == len(Linear().strengths)


@pytest.mark.parametrize("d", [30, 300])
@pytest.mark.parametrize("kind", ["classification", "multiclass", "regression"])
def test_splits_asked_at_once_are_answered_as_alone(
    kind: Kind, d: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (designs, linear, ridge):
        monkeypatch.setattr(module, "NARROW", 100)
    rng = np.random.default_rng(3)
    x, y = gaussian_classes(300, d, classes=3, distance=1.5)
    x[:, d // 2 :] = 3 * (x[:, d // 2 :] > 2.5)
    y = {"classification": (y > 0).astype(float), "multiclass": y}.get(kind, y + x[:, 0])
    questions, alone = [], []
    for _ in range(3):
        rows = rng.permutation(240)
        train, valid, test = np.sort(rows[:200]), np.sort(rows[200:]), np.arange(240, 300)
        questions.append(Question(train, valid, test, y[train], y[valid]))
        scaler = Scaler.fit(x[train])
        sample = [Part(scaler.transform(x[part]), y[part]) for part in (train, valid)]
        fitted = Linear().fit(*sample, kind=kind, seed=0)
        alone.append((fitted.chosen, fitted.predict(scaler.transform(x[test]))))
    together = Linear().answers(x, questions, kind=kind)
    assert together
    for each, (chosen, predicted) in zip(together, alone, strict=True):
        assert each.chosen == chosen
        np.testing.assert_allclose(each.test, predicted, atol=2e-6)


def test_splits_of_other_classes_are_asked_alone() -> None:
    x, y = gaussian_classes(60, 4, classes=3, distance=1.5)
    two, valid = np.flatnonzero(y < 2)[:20], np.arange(40, 60)
    parts_of = [(np.arange(40), valid), (two, valid)]
    questions = [Question(a, b, b, y[a], y[b]) for a, b in parts_of]
    assert Linear().answers(x, questions, kind="multiclass") is None
    assert Linear().answers(np.full_like(x, np.nan), questions[:1], kind="multiclass") is None
