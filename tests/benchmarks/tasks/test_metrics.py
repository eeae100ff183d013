"""Scores against those worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from scipy.stats import spearmanr

from molkd.benchmarks.tasks.kinds import KINDS
from molkd.benchmarks.tasks.metrics import METRICS, of_kind
from molkd.errors import InputError, ShapeError

Y = np.array([1.0, 2.0, 3.0, 4.0])
WRONG = Y + np.array([1, -1, 2, 0])


def score(name: str, y: object, predicted: object) -> float:
    return METRICS[name].function(
        np.asarray(y, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    )


@pytest.mark.parametrize(
    ("name", "y", "predicted", "expected"),
    [
        ("AUROC", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),  # 3 of 4 pairs in order
        ("AUROC", [0, 1], [0.5, 0.5], 0.5),
        ("AUPRC", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], (1 + 2 / 3) / 2),
        ("MAE", Y, WRONG, 1.0),
        ("RMSE", Y, WRONG, np.sqrt(1.5)),
        ("R2", Y, WRONG, 1 - 6 / 5),
        ("R2", Y, np.full(4, 2.5), 0.0),
        ("Spearman", Y, [1, 2, 4, 3], 1 - 6 * 2 / (4 * 15)),
        ("Spearman", Y, -(Y**3), -1.0),
        ("Spearman", Y, np.full(4, 0.1), 0.0),
        ("Accuracy", [0, 1, 2, 2], [0, 2, 2, 1], 0.5),
        ("Accuracy", [3], [3], 1.0),
        # class 0: 2 of 2 found, 2 of 3 right; class 1: nothing right; class 2: 1 of 1, 1 of 1
        ("Macro-F1", [0, 0, 1, 2], [0, 0, 0, 2], (4 / 5 + 0 + 1) / 3),
        ("V-measure", [0, 0, 1, 1], [7, 7, 3, 3], 1.0),
        ("V-measure", [0, 0, 1, 1], [0, 1, 0, 1], 0.0),
        # whole clusters of halved classes: homogeneous (1), complete to H(1/2)/H(1/4) = 1/2
        ("V-measure", [0, 0, 1, 1], [0, 1, 2, 3], 2 * 1 * 0.5 / 1.5),
    ],
)
def test_scores_are_those_worked_out_by_hand(
    name: str, y: object, predicted: object, expected: float
) -> None:
    assert score(name, y, predicted) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_prediction_is_best_and_the_direction_is_declared(name: str) -> None:
    metric = METRICS[name]
    y = Y if KINDS[metric.kind].classes is None else np.array([0.0, 1.0, 1.0, 0.0])
    perfect, worse = metric.function(y, y), metric.function(y, y[[1, 0, 2, 3]])
    assert perfect == (1.0 if metric.greater_is_better else 0.0)
    assert (worse < perfect) == metric.greater_is_better
    assert type(perfect) is float


def test_kinds_hold_their_metrics() -> None:
    assert [metric.name for metric in of_kind("classification")] == ["AUROC", "AUPRC"]
    assert [metric.name for metric in of_kind("regression")] == ["MAE", "RMSE", "R2", "Spearman"]
    assert [metric.name for metric in of_kind("multiclass")] == ["Accuracy", "Macro-F1"]
    assert [metric.name for metric in of_kind("retrieval")] == ["Accuracy", "Macro-F1"]
    assert [metric.name for metric in of_kind("clustering")] == ["V-measure"]
    assert [metric.name for metric in of_kind("similarity")] == ["Spearman"]
    for name, kind in KINDS.items():
        assert kind.comparable in {metric.name for metric in of_kind(name)}
    assert all(name == metric.name for name, metric in METRICS.items())


@pytest.mark.parametrize("name", ["AUROC", "AUPRC"])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_is_refused(name: str, label: float) -> None:
    with pytest.raises(InputError, match=rf"{name} is undefined: the 3 rows hold one class only"):
        score(name, [label] * 3, [0.1, 0.2, 0.3])


@pytest.mark.parametrize("name", ["R2", "Spearman"])
def test_equal_labels_are_refused_where_the_metric_needs_a_spread(name: str) -> None:
    with pytest.raises(InputError, match="equal labels only"):
        score(name, [2.0, 2.0], [1.0, 2.0])


@pytest.mark.parametrize("name", ["MAE", "RMSE"])
def test_errors_are_defined_for_one_row(name: str) -> None:
    assert score(name, [2.0], [5.0]) == 3.0


@pytest.mark.parametrize("name", METRICS)
def test_what_cannot_be_scored_is_refused_with_its_row(name: str) -> None:
    with pytest.raises(InputError, match=r"prediction of row 1 is nan"):
        score(name, [0.0, 1.0], [0.0, np.nan])
    with pytest.raises(InputError, match=r"label of row 0 is inf"):
        score(name, [np.inf, 1.0], [0.0, 1.0])
    with pytest.raises(InputError, match="no row"):
        score(name, [], [])
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        score(name, [0.0, 1.0], [0.0, 1.0, 0.0])


def test_classes_other_than_0_and_1_are_refused() -> None:
    with pytest.raises(InputError, match="not all 0 or 1"):
        score("AUROC", [0, 2], [0.1, 0.2])
    for wrong in (-1.0, 0.5):
        with pytest.raises(InputError, match="not all a whole number from 0"):
            score("Accuracy", [0, wrong], [0, 1])


@pytest.mark.parametrize("levels", [3, 1000])
def test_own_formulas_are_those_of_scikit_learn_and_scipy(levels: int) -> None:
    rng = np.random.default_rng(0)
    predicted, y = rng.integers(levels, size=200) / 8, rng.normal(size=200)
    classes = (y > 0.5).astype(np.float64)
    expected = {
        "AUROC": sklearn.metrics.roc_auc_score(classes, predicted),
        "AUPRC": sklearn.metrics.average_precision_score(classes, predicted),
        "MAE": sklearn.metrics.mean_absolute_error(y, predicted),
        "RMSE": sklearn.metrics.root_mean_squared_error(y, predicted),
        "R2": sklearn.metrics.r2_score(y, predicted),
        "Spearman": spearmanr(y, predicted).statistic,
    }
    for name, value in expected.items():
        labels = classes if name.startswith("AU") else y
        assert METRICS[name].function(labels, predicted) == pytest.approx(value, abs=1e-12)
