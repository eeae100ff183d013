"""What a benchmark's scores say about embedders: means, ranks and tests, paired over tasks.

Seeds are averaged before anything is ranked or tested: tasks are the sample, seeds are not. After
Demsar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7 (2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from molkd.benchmarks.records import Results, Score, TaskRecord
from molkd.benchmarks.statistics.significance import (
    Values,
    critical_difference,
    friedman,
    holm,
    intervals,
    mean_ranks,
    signed_rank_p,
)
from molkd.benchmarks.tasks.kinds import KINDS, Kind, is_measure
from molkd.errors import InputError, ShapeError, UnknownNameError
from molkd.runtime.registry import near

_DECIMALS = 12  # equal scores that were added up in another order are equal


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """Scores without holes.

    Attributes:
        tasks: t names.
        embedders: e labels.
        values: shape (t, e, s) for s seeds; more is better.

    Raises:
        ShapeError: the values do not fit the names, or there are none.
        InputError: a value is NaN or infinite, or a name occurs twice.
    """

    tasks: tuple[str, ...]
    embedders: tuple[str, ...]
    values: Values

    def __post_init__(self) -> None:
        expected = (len(self.tasks), len(self.embedders))
        if self.values.ndim != 3 or self.values.shape[:2] != expected or not self.values.size:
            raise ShapeError(
                f"{expected[0]} tasks and {expected[1]} embedders need values of shape "
                f"({expected[0]}, {expected[1]}, seeds), none of them 0, not {self.values.shape}"
            )
        for names in (self.tasks, self.embedders):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise InputError(f"{', '.join(twice)} occurs twice in a table: names are unique")
        if not np.isfinite(self.values).all():
            task, embedder = np.argwhere(~np.isfinite(self.values))[0, :2]
            raise InputError(
                f"{self.embedders[embedder]} has no finite score on {self.tasks[task]}: leave the "
                "task out for all embedders"
            )

    @property
    def means(self) -> Values:
        """Shape (t, e): means over seeds."""
        return self.values.mean(axis=2).round(_DECIMALS)


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Scores that may be compared with each other: one benchmark, one probe, one way to split.

    Attributes:
        group: the benchmark.
        probe: name of the probe.
        split: how rows were split.
        table: the scores.
        metrics: t names, the comparable metric of each task.
        left_out: tasks of the group and split without a score of every embedder, though asked.
    """

    group: str
    probe: str
    split: str
    table: ScoreTable
    metrics: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def way(self) -> str:
        """What `probe` is: "probe", or "measure" where nothing is trained."""
        return "measure" if is_measure(self.probe) else "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The reference against one other embedder, paired over the tasks.

    Attributes:
        wins: tasks on which the reference has the higher mean over seeds.
        ties: tasks on which both have the same.
        losses: the other tasks.
        mean_difference: mean over tasks, reference minus other.
        low: lower end of its bootstrap interval; None where there is one task alone.
        high: upper end.
        p: of the two-sided Wilcoxon signed-rank test.
        p_holm: the same, corrected for the number of embedders compared with the reference.
    """

    wins: int
    ties: int
    losses: int
    mean_difference: float
    low: float | None
    high: float | None
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All embedders of a table, and one of them against each other one.

    Attributes:
        reference: label of the one.
        means: label -> mean over tasks and seeds.
        sds: label -> standard deviation over seeds of the mean over tasks; None with one seed.
        ranks: label -> mean over tasks of the rank, 1 for the best.
        friedman_chi2: statistic of the Friedman test; None for fewer than 3 embedders or 2 tasks.
        friedman_p: its p-value; None likewise.
        critical_difference: two mean ranks at least so far apart differ significantly (Nemenyi,
            level .05); None for fewer than 3 embedders.
        against: label of every other embedder -> how the reference compares with it.
    """

    reference: str
    means: Mapping[str, float]
    sds: Mapping[str, float | None]
    ranks: Mapping[str, float]
    friedman_chi2: float | None
    friedman_p: float | None
    critical_difference: float | None
    against: Mapping[str, Against]


def tables(results: Results) -> list[Section]:
    """Returns one section per group, split and probe, in the order of the results.

    A value is the comparable metric on the test rows, where more is better, averaged over the
    labels of a task. A label counts where every embedder of the section has a score with every
    seed of the section; a task without such a label is left out for all, and named.
    """
    sections: list[Section] = []
    for group, split in dict.fromkeys((task.group, task.split) for task in results.tasks):
        tasks = [task for task in results.tasks if (task.group, task.split) == (group, split)]
        places = {place for task in tasks for place in task.places}
        scores = [score for score in results.full if score.place in places]
        for probe in dict.fromkeys(score.probe for score in scores):
            scored = [task for task in tasks if KINDS[cast("Kind", task.kind)].asks(probe)]
            chosen = [score for score in scores if score.probe == probe]
            present = {score.embedder for score in chosen}
            embedders = [e.label for e in results.embedders if e.label in present]
            values = _values(scored, embedders, chosen)
            whole = [task for task in scored if task.name in values]
            if whole:
                table = ScoreTable(
                    tuple(values), tuple(embedders), np.stack([values[task.name] for task in whole])
                )
                metrics = tuple(task.comparable for task in whole)
                left_out = tuple(task.name for task in scored if task.name not in values)
                sections.append(Section(group, probe, split, table, metrics, left_out))
    return sections


def compare(table: ScoreTable, reference: str, *, seed: int = 0) -> Comparison:
    """Compares all embedders with each other, and one with every other, over the tasks.

    Tests and intervals are those of `significance`; they know of the differences between tasks,
    not of the noise within one.

    Args:
        table: the scores.
        reference: one of its embedders.
        seed: of the bootstrap.

    Raises:
        UnknownNameError: the reference is not in the table.
    """
    apart = differences(table, reference)
    per_seed = table.values.mean(axis=0)
    sds = per_seed.std(axis=1, ddof=1) if per_seed.shape[1] > 1 else [None] * len(per_seed)
    ranks = mean_ranks(table.means)
    chi2, p = friedman(table.means)
    return Comparison(
        reference=reference,
        means=dict(zip(table.embedders, map(float, per_seed.mean(axis=1)), strict=True)),
        sds={
            label: None if sd is None else float(sd)
            for label, sd in zip(table.embedders, sds, strict=True)
        },
        ranks=dict(zip(table.embedders, map(float, ranks), strict=True)),
        friedman_chi2=chi2,
        friedman_p=p,
        critical_difference=critical_difference(len(table.embedders), len(table.tasks)),
        against=_against(apart, seed),
    )


def differences(table: ScoreTable, reference: str) -> dict[str, Values]:
    """Returns every other embedder -> shape (t,): mean over seeds, reference minus the other.

    Raises:
        UnknownNameError: the reference is not in the table.
    """
    if reference not in table.embedders:
        raise UnknownNameError(
            f"no embedder {reference!r} was compared.{near(reference, table.embedders)} "
            f"There are {', '.join(table.embedders)}."
        )
    own = table.means[:, table.embedders.index(reference)]
    return {
        label: (own - table.means[:, column]).round(_DECIMALS)
        for column, label in enumerate(table.embedders)
        if label != reference
    }


def cliques(ranks: Mapping[str, float], critical_difference: float) -> list[tuple[str, ...]]:
    """Returns the largest groups, best first, of embedders that do not differ significantly.

    Args:
        ranks: label -> mean rank.
        critical_difference: two ranks at least so far apart differ.

    Returns:
        Groups of two or more, each ordered from best to worst; no group lies within another.
    """
    ordered = sorted(ranks, key=lambda label: ranks[label])
    groups: list[tuple[str, ...]] = []
    reached = 0
    for start, best in enumerate(ordered):
        near_best = [x for x in ordered[start:] if ranks[x] - ranks[best] < critical_difference]
        end = start + len(near_best)
        if len(near_best) > 1 and end > reached:
            groups.append(tuple(near_best))
        reached = max(reached, end)
    return groups


def _against(apart: Mapping[str, Values], seed: int) -> dict[str, Against]:
    if not apart:
        return {}
    ends = intervals(np.column_stack(list(apart.values())), seed=seed)
    raw = {label: signed_rank_p(difference) for label, difference in apart.items()}
    corrected = holm(raw)
    return {
        label: Against(
            wins=int((difference > 0).sum()),
            ties=int((difference == 0).sum()),
            losses=int((difference < 0).sum()),
            mean_difference=float(difference.mean()),
            low=None if ends is None else float(ends[0, place]),
            high=None if ends is None else float(ends[1, place]),
            p=raw[label],
            p_holm=corrected[label],
        )
        for place, (label, difference) in enumerate(apart.items())
    }


def _values(
    tasks: Sequence[TaskRecord], embedders: Sequence[str], scores: Sequence[Score]
) -> dict[str, Values]:
    """Task -> shape (e, s), means over its labels; tasks with a hole in every label are absent."""
    seeds = sorted({score.seed for score in scores})
    metrics = {task.name: task.comparable for task in tasks}
    by_place = {
        (score.task, score.label, score.embedder, score.seed): score.test[metrics[score.task]]
        for score in scores
        if metrics[score.task] in score.test
    }
    values: dict[str, Values] = {}
    for task in tasks:
        grids = [
            [
                [by_place.get((task.name, label, who, seed), np.nan) for seed in seeds]
                for who in embedders
            ]
            for label in task.labels
        ]
        whole = [grid for grid in grids if np.isfinite(grid).all()]
        if whole:
            values[task.name] = np.mean(whole, axis=0)
    return values
