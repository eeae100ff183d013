"""Subsets of the test rows, such as activity cliffs, beside all of them and beside the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.records import Results, Score, TaskRecord
from molkd.benchmarks.statistics import ScoreTable
from molkd.benchmarks.statistics.significance import Values
from molkd.benchmarks.tasks.metrics import METRICS

_MEANS: Mapping[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "RMSE": (lambda value: value * value, math.sqrt),
    "MAE": (float, float),
    "Accuracy": (float, float),
}
"""Metric -> what of it is a mean over rows, and back: the rest of the rows follows from those."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SubsetScores:
    """The official metric on all test rows, on a subset, and on the rest; means over seeds.

    Attributes:
        group: the benchmark.
        split: how rows were split.
        probe: name of the probe.
        metric: official metric of all the tasks.
        subset: its name.
        tasks: t names.
        embedders: e labels.
        whole: shape (t, e), on all test rows.
        within: shape (t, e), on the subset.
        rest: shape (t, e), on the others; None where the results do not tell how many rows the
            subset has, or the metric is no mean over rows.
    """

    group: str
    split: str
    probe: str
    metric: str
    subset: str
    tasks: tuple[str, ...]
    embedders: tuple[str, ...]
    whole: Values
    within: Values
    rest: Values | None

    @property
    def table(self) -> ScoreTable:
        """The scores on the subset, turned so that more is better."""
        sign = 1.0 if METRICS[self.metric].greater_is_better else -1.0
        return ScoreTable(self.tasks, self.embedders, sign * self.within[:, :, np.newaxis])


def subsets(results: Results) -> list[SubsetScores]:
    """Returns one record per group, split, probe, official metric and subset.

    A task counts where every embedder has a score on the subset with every label and seed.
    """
    found: list[SubsetScores] = []
    for group, split, metric in dict.fromkeys((t.group, t.split, t.metric) for t in results.tasks):
        tasks = [t for t in results.tasks if (t.group, t.split, t.metric) == (group, split, metric)]
        places = {place for task in tasks for place in task.places}
        scores = [score for score in results.full if score.place in places]
        names = dict.fromkeys(
            (score.probe, name.partition("[")[2].removesuffix("]"))
            for score in scores
            for name in score.test
            if name.startswith(f"{metric}[")
        )
        for probe, subset in names:
            chosen = [score for score in scores if score.probe == probe]
            values = _values(tasks, chosen, metric, subset)
            if values:
                stacked = np.stack(list(values.values()))  # (t, e, 3)
                rest = stacked[:, :, 2]
                found.append(
                    SubsetScores(
                        group=group,
                        split=split,
                        probe=probe,
                        metric=metric,
                        subset=subset,
                        tasks=tuple(values),
                        embedders=tuple(dict.fromkeys(score.embedder for score in chosen)),
                        whole=stacked[:, :, 0],
                        within=stacked[:, :, 1],
                        rest=rest if np.isfinite(rest).all() else None,
                    )
                )
    return found


def _values(
    tasks: Sequence[TaskRecord], scores: Sequence[Score], metric: str, subset: str
) -> dict[str, Values]:
    """Task -> shape (e, 3): all, subset and rest, means over labels and seeds."""
    cells = {
        (score.task, score.label, score.embedder, score.seed): _three(score, metric, subset)
        for score in scores
    }
    seeds = sorted({score.seed for score in scores})
    embedders = dict.fromkeys(score.embedder for score in scores)
    absent = (math.nan,) * 3
    found: dict[str, Values] = {}
    for task in tasks:
        grid = np.array([
            [
                cells.get((task.name, label, who, seed), absent)
                for label in task.labels
                for seed in seeds
            ]
            for who in embedders
        ])  # fmt: skip
        if grid.size and np.isfinite(grid[:, :, :2]).all():
            found[task.name] = grid.mean(axis=1)
    return found


def _three(score: Score, metric: str, subset: str) -> tuple[float, float, float]:
    """The metric on all rows, on the subset, and on the rest; NaN where it is not known."""
    name = f"{metric}[{subset}]"
    whole, within = score.test[metric], score.test.get(name, math.nan)
    count, part = score.rows.get("test", 0), score.rows.get(f"test[{subset}]", 0)
    if metric not in _MEANS or not 0 < part < count:
        return whole, within, math.nan
    forth, back = _MEANS[metric]
    rest = (count * forth(whole) - part * forth(within)) / (count - part)
    return whole, within, back(max(rest, 0.0))
