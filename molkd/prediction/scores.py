"""How well held-out compounds were predicted, with intervals, and which model was best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.tasks.metrics import METRICS
from molkd.benchmarks.tasks.task import Labels
from molkd.prediction.labels import Kind
from molkd.prediction.learners import ModelOf
from molkd.prediction.validation import HeldOut
from molkd.types import Rows

SHOWN: Mapping[Kind, tuple[str, ...]] = {
    "regression": ("MAE", "RMSE", "R2", "Spearman"),
    "classification": ("AUROC", "AUPRC"),
}
"""Kind -> metrics; the first decides which model is best."""

DRAWS, ALPHA = 400, 0.05


@dataclass(frozen=True, slots=True)
class Score:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models on the same held-out compounds.

    Attributes:
        scores: model -> metric -> score.
        gains: each model but the embedding -> the deciding metric of the embedding less its own;
            above 0 the embedding is better, whatever the metric.
    """

    scores: Mapping[ModelOf, Mapping[str, Score]]
    gains: Mapping[ModelOf, Score]

    @property
    def best(self) -> ModelOf:
        """The model with the best deciding metric; of equally good ones the embedding."""
        least = min(self.gains, key=lambda rival: self.gains[rival].value)
        return "embedding" if self.gains[least].value >= 0 else least


def compare(
    y: Labels, held_out: Mapping[ModelOf, HeldOut], groups: Rows, *, kind: Kind, seed: int
) -> Comparison:
    """Scores models on held-out compounds.

    A score is the mean over repeats of the metric over all compounds. Intervals are percentiles of
    a bootstrap over groups, the same draws for all models: they say how much the score depends on
    which scaffolds happened to be measured.

    Args:
        y: shape (n,), labels.
        held_out: model -> its predictions.
        groups: shape (n,), compounds that are drawn together.
        kind: of the labels.
        seed: of the draws.
    """
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    rng = np.random.default_rng(seed)
    draws = [
        np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
        for _ in range(DRAWS)
    ]
    draws = [rows for rows in draws if np.ptp(y[rows])]
    scores: dict[ModelOf, dict[str, Score]] = {model: {} for model in held_out}
    drawn: dict[ModelOf, Labels] = {}
    for name in SHOWN[kind]:
        for model, found in held_out.items():
            whole = np.mean([_score(name, y, values) for values in found.values])
            each = [
                _score(name, y[rows], found.values[place % len(found.values)][rows])
                for place, rows in enumerate(draws)
            ]
            scores[model][name] = _interval(float(whole), np.array(each))
            if name == SHOWN[kind][0]:
                drawn[model] = np.array(each)
    rivals: list[ModelOf] = [model for model in scores if model != "embedding"]
    gains: dict[ModelOf, Score] = {
        each: _gain(scores, drawn, SHOWN[kind][0], each) for each in rivals
    }
    return Comparison(scores, gains)


def _gain(
    scores: Mapping[ModelOf, Mapping[str, Score]],
    drawn: Mapping[ModelOf, Labels],
    name: str,
    rival: ModelOf,
) -> Score:
    sign = 1 if METRICS[name].greater_is_better else -1
    value = sign * (scores["embedding"][name].value - scores[rival][name].value)
    return _interval(value, sign * (drawn["embedding"] - drawn[rival]))


def _score(name: str, y: Labels, predicted: Labels) -> float:
    return float(METRICS[name].formula(y, predicted))


def _interval(value: float, draws: Labels) -> Score:
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2]) if len(draws) else (value, value)
    return Score(value, float(min(low, value)), float(max(high, value)))
