"""Learning curves of all embedders: means over draws and labels, on the same tasks at every point.

A task counts with a number of labelled rows where every embedder has a score of every draw. Few
tasks are large enough for the largest numbers, so there may be two curves: all tasks up to the
number that all of them have, and the tasks that have every number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from molkd.benchmarks.probes import FLOOR
from molkd.benchmarks.records import Results, Score, TaskRecord
from molkd.benchmarks.statistics.significance import Values, intervals
from molkd.benchmarks.tasks.kinds import KINDS, Kind

_Cell = tuple[str, str, str, int, int]
"""Task, label, embedder, draw, and number of labelled rows."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Curve:
    """Scores against the number of labelled rows; more is better.

    Attributes:
        group: the benchmark.
        split: how rows were split.
        probe: name of the probe.
        labelled: n numbers of labelled rows, ascending.
        tasks: t names, the same at every number.
        others: tasks of the group and split that lack one of the numbers.
        embedders: e labels.
        draws: how many are averaged.
        values: shape (t, e, n), the comparable metric, means over labels and draws.
        floor: shape (t, n), likewise of the probe that reads no embedding; None where it lacks one.
    """

    group: str
    split: str
    probe: str
    labelled: tuple[int, ...]
    tasks: tuple[str, ...]
    others: tuple[str, ...]
    embedders: tuple[str, ...]
    draws: int
    values: Values
    floor: Values | None

    @property
    def means(self) -> Values:
        """Shape (e, n): means over tasks."""
        return self.values.mean(axis=0)

    def less(self, other: Values) -> tuple[Values, Values | None]:
        """Compares with other scores, paired over tasks.

        Args:
            other: shape (t, n).

        Returns:
            Mean differences, shape (e, n), and their bootstrap intervals, shape (2, e, n); None in
            their place where there is one task alone.
        """
        apart = self.values - other[:, np.newaxis]
        return apart.mean(axis=0), intervals(apart, seed=0)


def curves(results: Results) -> list[Curve]:
    """Returns the curves of every group, split and probe, in the order of the results."""
    found: list[Curve] = []
    for group, split in dict.fromkeys((task.group, task.split) for task in results.tasks):
        tasks = [task for task in results.tasks if (task.group, task.split) == (group, split)]
        probed = [task for task in tasks if KINDS[cast("Kind", task.kind)].measure is None]
        places = {place for task in probed for place in task.places}
        scores = [s for s in results.scores if s.labelled is not None and s.place in places]
        floor = _Scores.of([score for score in scores if score.probe == FLOOR], probed)
        for probe in dict.fromkeys(score.probe for score in scores if score.probe != FLOOR):
            chosen = _Scores.of([score for score in scores if score.probe == probe], probed)
            for labelled in chosen.ranges():
                values = chosen.values(labelled)
                found.append(
                    Curve(
                        group=group,
                        split=split,
                        probe=probe,
                        labelled=labelled,
                        tasks=tuple(values),
                        others=tuple(task.name for task in probed if task.name not in values),
                        embedders=chosen.embedders,
                        draws=len(chosen.draws),
                        values=np.stack(list(values.values())),
                        floor=floor.lowest(labelled, values),
                    )
                )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """The scores of one probe on the tasks of one section."""

    tasks: Sequence[TaskRecord]
    embedders: tuple[str, ...]
    draws: tuple[int, ...]
    labelled: tuple[int, ...]
    cells: Mapping[_Cell, float]

    @classmethod
    def of(cls, scores: Sequence[Score], tasks: Sequence[TaskRecord]) -> _Scores:
        metrics = {task.name: task.comparable for task in tasks}
        cells = {
            (s.task, s.label, s.embedder, s.seed, s.labelled or 0): s.test[metrics[s.task]]
            for s in scores
        }
        return cls(
            tasks,
            tuple(dict.fromkeys(score.embedder for score in scores)),
            tuple(sorted({score.seed for score in scores})),
            tuple(sorted({score.labelled or 0 for score in scores})),
            cells,
        )

    def ranges(self) -> Iterator[tuple[int, ...]]:
        """Numbers that make a curve: those that all tasks have, and all of them; each once."""
        started = self.values(self.labelled[:1])
        ends = range(1, len(self.labelled) + 1)
        whole = [self.labelled[:end] for end in ends if self.values(self.labelled[:end])]
        shared = [each for each in whole if self.values(each).keys() == started.keys()]
        yield from dict.fromkeys([*shared[-1:], *whole[-1:]])

    def values(self, labelled: tuple[int, ...]) -> dict[str, Values]:
        """Task -> shape (e, n), of the labels that have all numbers; other tasks are absent."""
        found: dict[str, Values] = {}
        for task in self.tasks:
            grids = [self._grid(task.name, label, labelled) for label in task.labels]
            whole = [grid.mean(axis=1) for grid in grids if np.isfinite(grid).all()]
            if whole:
                found[task.name] = np.mean(whole, axis=0)
        return found

    def lowest(self, labelled: tuple[int, ...], tasks: Mapping[str, object]) -> Values | None:
        """Shape (t, n): what stands for no embedding; None where a task lacks it."""
        found = self.values(labelled)
        if not found.keys() >= tasks.keys():
            return None
        return np.stack([found[task][0] for task in tasks])

    def _grid(self, task: str, label: str, labelled: tuple[int, ...]) -> Values:
        """Shape (e, d, n), NaN where there is no score."""
        return np.array([
            [
                [self.cells.get((task, label, who, draw, count), np.nan) for count in labelled]
                for draw in self.draws
            ]
            for who in self.embedders
        ])  # fmt: skip
