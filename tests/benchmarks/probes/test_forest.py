"""The forest is scikit-learn's, with the leaves that validation rows choose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from molkd.benchmarks import embedders
from molkd.benchmarks import tasks as registry
from molkd.benchmarks.probes import Part
from molkd.benchmarks.probes.forest import Forest
from molkd.benchmarks.quality import planning, scoring
from tests.benchmarks.probes.synthetic import gaussian_line, parts, two_gaussians


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_predictions_are_those_of_scikit_learn_with_the_best_leaves(kind: str) -> None:
    sample = (
        two_gaussians(400, 5, distance=1.5)
        if kind == "classification"
        else gaussian_line(400, 5, r2=0.7)
    )
    train, valid, test = parts(sample, 200, 100, 100)
    fitted = Forest(trees=40, pilots=10).fit(train, valid, kind=kind, seed=3)
    options = {
        "n_estimators": 40,
        "max_features": "sqrt",
        "min_samples_leaf": int(fitted.chosen["least_rows"]),
        "random_state": 3,
    }
    if kind == "regression":
        expected = RandomForestRegressor(**options).fit(train.x, train.y).predict(test.x)
    else:
        model = RandomForestClassifier(**options).fit(train.x, train.y)
        expected = (model.predict_proba(test.x)[:, 1] * 40 + train.y.mean()) / 41
    np.testing.assert_allclose(fitted.predict(test.x), expected, rtol=1e-9)


def test_trees_that_agree_and_are_wrong_cost_a_finite_loss() -> None:
    x = np.linspace(-1, 1, 200, dtype=np.float32)[:, np.newaxis]
    y = (x[:, 0] > 0).astype(np.float64)
    mirrored = Part(x, 1 - y)
    fitted = Forest(trees=20, least_rows=(1,)).fit(
        Part(x, y), mirrored, kind="classification", seed=0
    )
    predicted = fitted.predict(x)
    assert 0 < predicted.min() < 0.05
    assert 0.95 < predicted.max() < 1


def test_on_a_small_real_task_it_learns(shared: Path) -> None:
    (task,) = registry.load(["tdc-admet:hia_hou"], own=[], data=shared / "data", download=False)
    (source,) = embedders.make("ecfp4-count").sources
    x = source.model.embed(list(task.items)).values
    every = np.isfinite(x).all(axis=1)
    (plan,) = planning.plan_all([task], lambda _: every, methods=(), seeds=[0], excluded={}, jobs=1)
    ((probe_task,),) = plan.probe_tasks.values()
    inputs = scoring.scaled(x, probe_task.split, components=None)
    assert scoring.answer(inputs, probe_task, Forest(trees=100)).test["AUROC"] > 0.85
