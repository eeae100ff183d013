"""The same embedders and tasks under several splits: who falls where the test rows are far away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.statistics import ScoreTable, Section
from molkd.benchmarks.statistics.significance import Values, intervals, mean_ranks


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AcrossSplits:
    """One benchmark and probe under s splits.

    Attributes:
        group: the benchmark.
        probe: name of the probe.
        splits: s names, the first of which the others are compared with.
        tasks: names of those that have a score of every embedder under every split.
        embedders: e labels.
        means: shape (e, s), means over tasks and seeds of the comparable metric.
        ranks: shape (e, s), mean ranks over tasks; 1 is best.
        changes: shape (e, s), mean over tasks of the score less that under the first split.
        ends: shape (2, e, s), bootstrap intervals of the changes, paired over tasks; None where
            there is one task alone.
    """

    group: str
    probe: str
    splits: tuple[str, ...]
    tasks: tuple[str, ...]
    embedders: tuple[str, ...]
    means: Values
    ranks: Values
    changes: Values
    ends: Values | None


def across_splits(sections: Sequence[Section]) -> list[AcrossSplits]:
    """Compares sections that differ in their split alone; nothing where no task has two splits."""
    found: list[AcrossSplits] = []
    for group, probe in dict.fromkeys((section.group, section.probe) for section in sections):
        same = [each for each in sections if (each.group, each.probe) == (group, probe)]
        tasks = tuple(t for t in same[0].table.tasks if all(t in s.table.tasks for s in same))
        who = tuple(e for e in same[0].table.embedders if all(e in s.table.embedders for s in same))
        if len(same) > 1 and tasks and who:
            found.append(_compared(same, tasks, who))
    return found


def _compared(
    sections: Sequence[Section], tasks: tuple[str, ...], embedders: tuple[str, ...]
) -> AcrossSplits:
    tables = [_part(section.table, tasks, embedders) for section in sections]
    per_task = np.stack([table.means for table in tables], axis=2)  # (t, e, s)
    changes = per_task - per_task[:, :, :1]
    return AcrossSplits(
        group=sections[0].group,
        probe=sections[0].probe,
        splits=tuple(section.split for section in sections),
        tasks=tasks,
        embedders=embedders,
        means=per_task.mean(axis=0),
        ranks=np.stack([mean_ranks(table.means) for table in tables], axis=1),
        changes=changes.mean(axis=0),
        ends=intervals(changes, seed=0),
    )


def _part(table: ScoreTable, tasks: Sequence[str], embedders: Sequence[str]) -> ScoreTable:
    rows = [table.tasks.index(task) for task in tasks]
    columns = [table.embedders.index(label) for label in embedders]
    return ScoreTable(tuple(tasks), tuple(embedders), table.values[np.ix_(rows, columns)])
