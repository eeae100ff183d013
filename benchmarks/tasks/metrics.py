"""Metrics by name: how well predictions agree with labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.metrics import accuracy_score, f1_score, v_measure_score

from molkd.benchmarks.tasks.kinds import KINDS, Kind
from molkd.errors import InputError, ShapeError
from molkd.runtime.registry import Registry

Values = npt.NDArray[np.floating]
"""Shape (n,): labels, or predictions."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Attributes:
        name: its key in `METRICS`.
        kind: what it scores. Classification expects labels 0 and 1, and predictions that grow
            with the probability of class 1; multiclass expects classes for both, and clustering
            any numbers for predictions, equal in one cluster.
        greater_is_better: False for errors.
        formula: (y, predicted), both of shape (n,) and checked -> score.
        needs_spread: whether it is undefined where all labels are equal.
        also: other kinds that it scores.
    """

    name: str
    kind: Kind
    greater_is_better: bool
    formula: Callable[[Values, Values], float]
    needs_spread: bool = True
    also: tuple[Kind, ...] = ()

    def function(self, y: Values, predicted: Values) -> float:
        """Scores predictions; a finite number.

        Args:
            y: shape (n,), labels, in the unit of the table.
            predicted: shape (n,), in the same unit, or probabilities of class 1.

        Raises:
            InputError: there is no row, a value is NaN or infinite, labels are not the classes
                that are expected, or the metric is undefined because all labels are equal.
            ShapeError: the shapes differ.
        """
        self._check(y, predicted)
        return float(self.formula(y, predicted))

    def _check(self, y: Values, predicted: Values) -> None:
        if y.ndim != 1 or y.shape != predicted.shape:
            raise ShapeError(
                f"{self.name}: labels of shape {y.shape} and predictions of shape "
                f"{predicted.shape}; both must be (n,)"
            )
        if not len(y):
            raise InputError(f"{self.name}: no row to score")
        for what, values in (("label", y), ("prediction", predicted)):
            bad = np.flatnonzero(~np.isfinite(values))
            if len(bad):
                raise InputError(f"{self.name}: {what} of row {bad[0]} is {values[bad[0]]}")
        kind = KINDS[self.kind]
        if kind.misfits(y).any():
            raise InputError(f"{self.name}: labels are not all {kind.expected}")
        if self.needs_spread and y.min() == y.max():
            what = "equal labels only" if kind.classes is None else "one class only"
            raise InputError(
                f"{self.name} is undefined: the {len(y)} rows hold {what} ({y[0]:g}); "
                "split in another way or leave the task out"
            )


def of_kind(kind: Kind) -> tuple[Metric, ...]:
    """Returns all metrics that score a kind of tasks."""
    return tuple(each for each in METRICS.values() if kind in {each.kind, *each.also})


def _macro_f1(y: Values, predicted: Values) -> float:
    return float(cast("Any", f1_score)(y, predicted, average="macro", zero_division=0.0))


def _auroc(y: Values, predicted: Values) -> float:
    """Of pairs of both classes, the share in the right order; a tie counts half."""
    positive = y > 0
    p, n = int(positive.sum()), int((~positive).sum())
    return float((rankdata(predicted)[positive].sum() - p * (p + 1) / 2) / (p * n))


def _average_precision(y: Values, predicted: Values) -> float:
    """Mean precision where recall grows, over distinct predictions from the largest on."""
    order = np.argsort(-predicted, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(predicted[order])), len(y) - 1)
    found = np.cumsum(y[order] > 0)[ends]
    return float((np.diff(found, prepend=0) * (found / (ends + 1))).sum() / found[-1])


def _absolute_error(y: Values, predicted: Values) -> float:
    return float(np.abs(y - predicted).mean())


def _root_of_squares(y: Values, predicted: Values) -> float:
    return float(np.sqrt(((y - predicted) ** 2).mean()))


def _explained(y: Values, predicted: Values) -> float:
    return float(1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def _spearman(y: Values, predicted: Values) -> float:
    predicted = predicted.astype(np.float32)  # what differs by rounding alone is tied
    if predicted.min() == predicted.max():
        return 0.0  # a constant ranks nothing
    return float(np.corrcoef(rankdata(y), rankdata(predicted))[0, 1])


METRICS: Registry[Metric] = Registry(
    "metric",
    {
        metric.name: metric
        for metric in (
            Metric("AUROC", "classification", True, _auroc),
            Metric("AUPRC", "classification", True, _average_precision),
            Metric("MAE", "regression", False, _absolute_error, needs_spread=False),
            Metric("RMSE", "regression", False, _root_of_squares, needs_spread=False),
            Metric("R2", "regression", True, _explained),
            Metric("Spearman", "regression", True, _spearman, also=("similarity",)),
            Metric("Accuracy", "multiclass", True, accuracy_score, False, also=("retrieval",)),
            Metric("Macro-F1", "multiclass", True, _macro_f1, False, also=("retrieval",)),
            Metric("V-measure", "clustering", True, v_measure_score),
        )
    },
)
"""Name -> metric. AUPRC is average precision, as on TDC's leaderboards; Macro-F1 is the mean over
all classes that are labels or predictions."""
