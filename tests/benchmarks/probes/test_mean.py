"""The floor: nothing of the rows is read."""

from __future__ import annotations

import numpy as np

from molkd.benchmarks.probes import FLOOR, Part, make
from molkd.benchmarks.tasks.metrics import METRICS

X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
FEW = Part(X[:4], np.array([0.0, 1.0, 1.0, 1.0]))
OTHERS = Part(X[4:8], np.array([0.0, 0.0, 0.0, 1.0]))


def test_the_mean_of_the_training_labels_stands_for_every_row() -> None:
    for kind in ("classification", "regression"):
        fitted = make(FLOOR).fit(FEW, OTHERS, kind=kind, seed=0)
        np.testing.assert_array_equal(fitted.predict(X), np.full(30, 0.75))
        assert fitted.chosen == {}


def test_of_many_classes_their_shares() -> None:
    train = Part(FEW.x, np.array([0.0, 3.0, 3.0, 1.0]))
    predicted = make(FLOOR).fit(train, OTHERS, kind="multiclass", seed=0).predict(X[:2])
    np.testing.assert_array_equal(predicted, [[0.25, 0.25, 0.0, 0.5]] * 2)


def test_it_ranks_as_chance_does() -> None:
    predicted = make(FLOOR).fit(FEW, OTHERS, kind="classification", seed=0).predict(X)
    y = np.arange(30) % 2
    assert METRICS["AUROC"].function(y, predicted) == 0.5
    assert METRICS["Spearman"].function(y, predicted) == 0.0
