"""A built-in task before its table is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from molkd.benchmarks.tasks.downloads import DataFile
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Item, Labels, LabelScale, Task
from molkd.formats.streams import open_bytes


def lines(paths: Sequence[Path]) -> int:
    """Counts the lines of tables, each without its header."""
    total = 0
    for path in paths:
        with open_bytes(path) as stream:
            total += sum(1 for _ in stream) - 1
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A built-in task.

    Attributes:
        name: unique among all built-in tasks; see `Task.name`.
        group: see `Task.group`.
        kind: see `Task.kind`.
        metric: see `Task.metric`.
        scale: see `Task.scale`.
        files: tables it is made from; none where its rows come with a package.
        source: see `Task.source`.
        read: (entry, places of the files) -> task.
        count: places of the files -> rows in all of them.
    """

    name: str
    group: str
    kind: Kind
    metric: str
    scale: LabelScale = "linear"
    files: tuple[DataFile, ...]
    source: str
    read: Callable[[Entry, Sequence[Path]], Task]
    count: Callable[[Sequence[Path]], int] = lines

    def task(self, items: Sequence[Item], labels: Labels) -> Task:
        """Returns the task of n items and labels of shape (n,) or (n, l); split at random."""
        return Task(
            name=self.name,
            group=self.group,
            kind=self.kind,
            metric=self.metric,
            items=tuple(items),
            labels=labels if labels.ndim == 2 else labels[:, np.newaxis],
            scale=self.scale,
            source=self.source,
        )

    @property
    def key(self) -> str:
        """What it is asked for by: "GROUP:NAME"."""
        return f"{self.group}:{self.short}"

    @property
    def short(self) -> str:
        """Its name within its group."""
        return self.name.removeprefix(f"{self.group}:")
