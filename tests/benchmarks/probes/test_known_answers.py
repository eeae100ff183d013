"""Each probe comes within 1 % of the best achievable score, on data where that is known."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes import FLOOR, PROBES, Part
from molkd.benchmarks.probes.inputs import Scaler
from molkd.benchmarks.probes.targets import TargetScaler
from molkd.benchmarks.tasks.metrics import METRICS
from tests.benchmarks.probes.synthetic import (
    Sample,
    best_accuracy,
    best_auroc,
    gaussian_classes,
    gaussian_line,
    two_gaussians,
)
from tests.fakes.few_trees import make

TEST = 12_000
"""Test rows: the standard error of a score is then about 0.3 %."""

COLUMNS = {"linear": 20, "mlp": 2, "knn": 1, "boosting": 1, "forest": 1, "kernel": 2, "pls": 20}
"""Probe -> width: neighbours and trees need rows without number where the space is wide."""

ROWS = dict.fromkeys(COLUMNS, 6000) | {"linear": 4000, "mlp": 2500, "kernel": 1200, "pls": 4000}
"""Probe -> training rows."""


def run(name: str, sample: Sample, kind: str, *, scale: str = "linear") -> np.ndarray:
    """Predictions of the test rows, in the unit of the labels, as the evaluation makes them."""
    x, y = sample
    fit, valid = slice(0, ROWS[name]), slice(8000, 10_000)
    scaler = Scaler.fit(x[fit])
    targets = TargetScaler.fit(y[fit], scale=scale) if kind == "regression" else None
    train, choose = (
        Part(scaler.transform(x[rows]), targets.transform(y[rows]) if targets else y[rows])
        for rows in (fit, valid)
    )
    fitted = make(name).fit(train, choose, kind=kind, seed=0)
    predicted = fitted.predict(scaler.transform(x[10_000:]))
    return targets.inverse(predicted) if targets else predicted


def test_every_probe_has_a_known_answer() -> None:
    assert {*COLUMNS, FLOOR, "tanimoto"} == set(PROBES)  # that one has it in `test_tanimoto`


@pytest.mark.parametrize("name", COLUMNS)
def test_classification_comes_within_1_percent_of_the_best_auroc(name: str) -> None:
    x, y = two_gaussians(10_000 + TEST, COLUMNS[name], distance=2.0)
    predicted = run(name, (x * 30 + 5, y), "classification")
    score = METRICS["AUROC"].function(y[10_000:], predicted)
    assert score == pytest.approx(best_auroc(2.0), rel=0.01)
    assert predicted.min() >= 0
    assert predicted.max() <= 1
    assert predicted.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("name", COLUMNS)
def test_many_classes_come_within_1_percent_of_the_best_accuracy(name: str) -> None:
    x, y = gaussian_classes(10_000 + TEST, COLUMNS[name], classes=4, distance=3.0)
    predicted = run(name, (x * 30 + 5, y), "multiclass")
    assert predicted.shape == (TEST, 4)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-6)
    score = METRICS["Accuracy"].function(y[10_000:], predicted.argmax(axis=1).astype(float))
    assert score == pytest.approx(best_accuracy(4, 3.0), rel=0.01)


@pytest.mark.parametrize("name", COLUMNS)
def test_regression_comes_within_1_percent_of_the_best_r2(name: str) -> None:
    x, y = gaussian_line(10_000 + TEST, COLUMNS[name], r2=0.9)
    predicted = run(name, (x * 30 + 5, y * 7 + 100), "regression")
    score = METRICS["R2"].function(y[10_000:] * 7 + 100, predicted)
    assert score == pytest.approx(0.9, rel=0.01)


def test_logarithms_are_fitted_where_labels_span_decades() -> None:
    x, y = gaussian_line(10_000 + TEST, 20, r2=0.9)
    predicted = run("linear", (x, 10**y), "regression", scale="log10")
    score = METRICS["R2"].function(y[10_000:], np.log10(predicted))
    assert score == pytest.approx(0.9, rel=0.01)
    assert METRICS["Spearman"].function(10 ** y[10_000:], predicted) == pytest.approx(
        6 / np.pi * np.arcsin(np.sqrt(0.9) / 2),
        rel=0.01,  # of two normal variables
    )


@pytest.mark.parametrize("name", COLUMNS)
def test_noise_alone_is_not_learnt(name: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(13_000, 5)).astype(np.float32), rng.normal(size=13_000)
    predicted = run(name, (x, y), "regression")
    assert METRICS["R2"].function(y[10_000:], predicted) > -0.03
    assert abs(METRICS["Spearman"].function(y[10_000:], predicted)) < 0.06
