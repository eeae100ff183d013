"""Tasks of texts: the intents of Banking77, classified, clustered and found by neighbours.

Source: Casanueva et al. 2020 (https://arxiv.org/abs/2003.04807), with the split of its authors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from molkd.benchmarks.tasks import reading
from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.downloads import DataFile
from molkd.benchmarks.tasks.entry import Entry
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Task

_HOST = "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/master/banking_data"


def read(entry: Entry, paths: Sequence[Path]) -> Task:
    """Reads a table for training and one for testing: columns text and category."""
    frames = [reading.load(path) for path in paths]
    sides = [
        [reading.strings(frame, column, path) for frame, path in zip(frames, paths, strict=True)]
        for column in ("text", "category")
    ]
    texts, names = ([value for side in pair for value in side] for pair in sides)
    task = replace(
        entry.task(tuple(texts), reading.classes(names)),
        modality="texts",
        split="given",
        test=np.repeat([False, True], [len(frame) for frame in frames]),
    )
    return checked(task, file=" + ".join(map(str, paths)))


def _entry(name: str, kind: Kind, metric: str) -> Entry:
    return Entry(
        name=name,
        group="text",
        kind=kind,
        metric=metric,
        files=tuple(
            DataFile(f"text/banking77_{part}.csv", f"{_HOST}/{part}.csv")
            for part in ("train", "test")
        ),
        source="Banking77 (Casanueva et al. 2020, arXiv 2003.04807), CC BY 4.0",
        read=read,
        count=lambda paths: sum(len(reading.load(path)) for path in paths),
    )


TASKS = (
    _entry("banking77", "multiclass", "Accuracy"),
    _entry("banking77-clustering", "clustering", "V-measure"),
    _entry("banking77-neighbours", "retrieval", "Accuracy"),
)
"""The same rows in three ways; clusters are sought among the test rows alone."""
