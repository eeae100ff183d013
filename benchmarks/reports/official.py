"""Scores in the official metric of each task: means and standard deviations over seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.records import Results, Score, TaskRecord
from molkd.benchmarks.tasks.metrics import METRICS


@dataclass(frozen=True, slots=True)
class MeanScore:
    """A mean over seeds.

    Attributes:
        mean: over seeds; with several labels, of their means.
        sd: sample standard deviation over seeds, and over training runs where there are several;
            None for a single score.
    """

    mean: float
    sd: float | None

    @property
    def text(self) -> str:
        """The score as a table shows it."""
        return number(self.mean, self.sd)


@dataclass(frozen=True, slots=True)
class Line:
    """What all embedders score on a task in one metric.

    Attributes:
        task: name of the task.
        metric: official metric, with the subset of the test rows in brackets.
        labels: number of labels that the scores are means over.
        compared: items of the task that all embedders embed.
        scores: label of an embedder -> score.
        reads: what the items are.
    """

    task: str
    metric: str
    labels: int
    compared: int
    scores: Mapping[str, MeanScore]
    modality: str = "molecules"

    @property
    def greater_is_better(self) -> bool:
        """Whether the best score is the greatest."""
        return METRICS[self.metric.partition("[")[0]].greater_is_better

    @property
    def direction(self) -> str:
        """How to read the metric."""
        return "higher is better" if self.greater_is_better else "lower is better"

    @property
    def title(self) -> str:
        """The task, and that it is a mean where it has several labels."""
        return self.task if self.labels == 1 else f"{self.task} (mean of {self.labels} labels)"

    @property
    def best(self) -> float | None:
        """The best mean; None where there is no score."""
        means = [score.mean for score in self.scores.values()]
        return (max if self.greater_is_better else min)(means, default=None)


def lines(results: Results, *, group: str, probe: str, split: str) -> list[Line]:
    """Returns one line per task and metric, tasks in order, subsets after the whole test part.

    A task with several labels is scored by the mean of those labels that every embedder was scored
    on with every seed. Tasks without any score are left out.
    """
    by_task: defaultdict[str, list[Score]] = defaultdict(list)
    tasks = [task for task in results.tasks if (task.group, task.split) == (group, split)]
    places = {place for task in tasks for place in task.places}
    for score in results.full:
        if score.probe == probe and score.place in places:
            by_task[score.task].append(score)
    return [
        line for task in tasks if by_task[task.name] for line in _lines_of(task, by_task[task.name])
    ]


def number(mean: float, sd: float | None = None) -> str:
    """Formats a score, with its standard deviation, to three digits after the point or fewer."""
    digits = 3 if abs(mean) < 10 else 2 if abs(mean) < 100 else 1
    text = f"{mean:.{digits}f}" if sd is None else f"{mean:.{digits}f} ± {sd:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def with_ends(mean: float, ends: Iterable[float] | None) -> str:
    """Formats a score with the two ends of its interval, or without where there are none."""
    if ends is None:
        return number(mean)
    low, high = map(number, ends)
    return f"{number(mean)} ({low} to {high})"


def _lines_of(task: TaskRecord, scores: Sequence[Score]) -> list[Line]:
    metrics = dict.fromkeys(
        metric
        for score in scores
        for metric in score.test
        if metric.partition("[")[0] == task.metric
    )
    return [_line(task, metric, scores) for metric in sorted(metrics, key=lambda m: ("[" in m, m))]


def _line(task: TaskRecord, metric: str, scores: Sequence[Score]) -> Line:
    scored = [score for score in scores if metric in score.test]
    values = {(s.embedder, s.label, s.seed): s.test[metric] for s in scored}
    # what was trained once stands in every run with the same keys, and spreads over its seeds alone
    own = {(s.embedder, s.label, s.key): s.seed for s in reversed(scored)}
    distinct = {(who, label, seed) for (who, label, _), seed in own.items()}
    embedders, labels, seeds = (list(dict.fromkeys(column)) for column in zip(*values, strict=True))
    whole = [
        label
        for label in labels
        if all((name, label, seed) in values for name in embedders for seed in seeds)
    ] or labels
    found: dict[str, MeanScore] = {}
    for name in embedders:
        table = np.array(
            [[values.get((name, label, seed), np.nan) for label in whole] for seed in seeds]
        )
        if np.isfinite(table).all():
            means = table.mean(axis=1)
            apart = means[[(name, whole[0], seed) in distinct for seed in seeds]]
            sd = float(apart.std(ddof=1)) if len(apart) > 1 else None
            found[name] = MeanScore(float(means.mean()), sd)
    return Line(task.name, metric, len(whole), task.compared, found, task.reads)
