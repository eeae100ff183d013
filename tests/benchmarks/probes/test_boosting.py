"""Boosted trees: the number of trees that validation rows choose."""

from __future__ import annotations

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor

from molkd.benchmarks.probes import Part
from molkd.benchmarks.probes.boosting import Boosting
from tests.benchmarks.probes.synthetic import gaussian_line, parts, two_gaussians


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_predictions_are_those_of_the_chosen_trees(kind: str) -> None:
    sample = (
        two_gaussians(700, 3, distance=1.5)
        if kind == "classification"
        else gaussian_line(700, 3, r2=0.7)
    )
    train, valid, test = parts(sample, 400, 200, 100)
    fitted = Boosting().fit(train, valid, kind=kind, seed=0)
    options = {
        "num_leaves": int(fitted.chosen["leaves"]),
        "n_estimators": int(fitted.chosen["trees"]),
        "n_jobs": 1,
        "verbose": -1,
    }
    assert 0 < fitted.chosen["trees"] < 300
    if kind == "classification":
        model = LGBMClassifier(**options).fit(train.x, train.y)
        expected = model.predict_proba(test.x)[:, 1]
    else:
        expected = LGBMRegressor(**options).fit(train.x, train.y).predict(test.x)
    np.testing.assert_allclose(fitted.predict(test.x), expected, rtol=1e-9)


def test_no_number_of_trees_has_less_loss_on_the_validation_rows() -> None:
    train, valid = parts(gaussian_line(500, 3, r2=0.7), 300, 200)
    fitted = Boosting().fit(train, valid, kind="regression", seed=0)
    reached = np.mean((fitted.predict(valid.x) - valid.y) ** 2)
    for leaves in Boosting().leaves:
        model = LGBMRegressor(num_leaves=leaves, n_estimators=60, n_jobs=1, verbose=-1)
        model.fit(train.x, train.y)
        losses = [
            np.mean((model.predict(valid.x, num_iteration=trees) - valid.y) ** 2)
            for trees in range(1, 61)
        ]
        assert reached <= min(losses) * (1 + 1e-9)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_without_a_useful_tree_the_training_mean_is_predicted(kind: str) -> None:
    x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    y = (x[:, 0] > 0.5).astype(np.float64)
    fitted = Boosting().fit(Part(x, y), Part(x, 1 - y), kind=kind, seed=0)
    assert fitted.chosen["trees"] == 0
    np.testing.assert_allclose(fitted.predict(x[:3]), y.mean())
