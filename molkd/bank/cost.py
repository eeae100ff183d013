"""What filling a bank will cost: every teacher is tried on a few items before the work begins."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molkd.bank.blocks import Computer, Task
from molkd.errors import MolkdError
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress, clocked

SAMPLE = 200
"""Items that a teacher is tried on, spread evenly over those that it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What some teachers lack that are computed together.

    Attributes:
        computer: of their blocks.
        failures: teacher -> row -> why it is skipped.
        done: teacher -> rows that it has.
        jobs: processes.
        engine: where they are.
        what: is computed: "embeddings" or "nodes".
    """

    computer: Computer[Any, Any]
    failures: Mapping[str, Mapping[int, str]]
    done: Mapping[str, int]
    jobs: int
    engine: str = "local"
    what: str = "embeddings"

    def run(self, items: Sequence[Any], *, block: int, progress: bool) -> Iterator[list[Any]]:
        """Yields the blocks; see `Computer.run`."""
        label = "teachers" if self.what == "embeddings" else self.what
        return self.computer.run(
            items,
            self.failures,
            self.done,
            block=block,
            jobs=self.jobs,
            engine=self.engine,
            label=label,
            progress=progress,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one teacher will cost.

    Attributes:
        name: of the teacher, or of what is done for all.
        rate: items per second of one process.
        items: that are missing.
        seconds: for these, with the processes that were asked for.
        megabytes: on disk, for these; of 10⁶ bytes.
    """

    name: str
    rate: float
    items: int
    seconds: float
    megabytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """How long a teacher took for some items.

    Attributes:
        items: how many.
        reading: seconds for parsing them.
        seconds: of the teacher.
        stored: bytes of what it gave, as it will be stored.
    """

    items: int
    reading: float
    seconds: float
    stored: int


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Times a teacher; sent to the worker processes."""

    computer: Computer[Any, Any]

    def __call__(self, task: Task) -> Trial:
        """Times the only teacher of a task, once it has loaded what it needs."""
        (name,) = task.failures
        self.computer.compute(Task(task.start, task.items[:1], task.failures))
        started = time.perf_counter()
        objects, failed = self.computer.read(task.items)
        read = time.perf_counter()
        rows = [row for row in range(len(task.items)) if row not in failed]
        parsed = dict(zip(rows, objects, strict=True))
        block = self.computer.block_of(name, task, parsed, failed)
        done = time.perf_counter()
        return Trial(len(task.items), read - started, done - read, block.values.nbytes)


def costs(items: Sequence[Any], works: Sequence[Work], *, block: int) -> list[Cost]:
    """Tries every teacher on `SAMPLE` of the items that it lacks, or on all if they are fewer.

    Args:
        items: of the bank.
        works: what is missing.
        block: rows that one process computes at a time.

    Returns:
        One per teacher, and one for reading the items where they are parsed.

    Raises:
        MolkdError: a teacher fails in a way that no item causes.
    """
    told: list[Cost] = []
    for work in works:
        tasks = dict(_tasks(items, work))
        trials = ordered_map(Stopwatch(work.computer), tasks.values(), jobs=work.jobs)
        reading: list[Cost] = []
        with Progress(f"try {work.what}", len(tasks), unit="teachers", keep=False) as bar:
            for name, trial in zip(tasks, trials, strict=True):
                rows = len(items) - work.done[name]
                count = sum(row >= work.done[name] for row in work.failures[name])
                at_once = min(work.jobs, -(-rows // block))
                told.append(_cost(_label(name, work.what), trial, rows, rows - count, at_once))
                reading.append(_timed("reading", trial.items, trial.reading, rows - count, at_once))
                bar.update(1)
        if reading and work.computer.parse is not None:
            told.append(max(reading, key=lambda cost: cost.seconds))
    return told


def table(told: Sequence[Cost]) -> str:
    """Returns the costs in lines, with their total as the last line."""
    seconds, megabytes = sum(cost.seconds for cost in told), sum(cost.megabytes for cost in told)
    lines = [("to compute", "items", "items/s", "time", "MB")]
    for cost in told:
        rate = f"{cost.rate:,.0f}" if cost.rate >= 10 else f"{cost.rate:.2g}"
        size = f"{cost.megabytes:,.1f}"
        lines.append((cost.name, f"{cost.items:,}", rate, clocked(cost.seconds), size))
    lines.append(("in all", "", "", clocked(seconds), f"{megabytes:,.1f}"))
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "".join(
        "  ".join([name.ljust(first), *map(str.rjust, cells, others)]) + "\n"
        for name, *cells in lines
    )


def tell(items: Sequence[Any], works: Sequence[Work], *, block: int) -> None:
    """Writes on standard error what filling a bank will cost; nothing where nothing is missing.

    Where a teacher cannot be tried nothing is said here: the work itself will say why.
    """
    works = [work for work in works if work.done]
    if not works or sys.stderr is None:  # a program without a console has none
        return
    try:
        told = costs(items, works, block=block)
    except MolkdError:
        return
    if told:
        sys.stderr.write(table(told))
        sys.stderr.flush()


def _tasks(items: Sequence[Any], work: Work) -> Iterator[tuple[str, Task]]:
    for name, done in work.done.items():
        lacking = [row for row in range(done, len(items)) if row not in work.failures[name]]
        if lacking:
            chosen = np.linspace(0, len(lacking) - 1, min(SAMPLE, len(lacking))).astype(int)
            yield name, Task(0, [items[lacking[place]] for place in chosen], {name: {}})


def _cost(name: str, trial: Trial, rows: int, count: int, at_once: int) -> Cost:
    timed = _timed(name, trial.items, trial.seconds, count, at_once)
    megabytes = trial.stored / trial.items * rows / 1e6
    return Cost(name=name, rate=timed.rate, items=count, seconds=timed.seconds, megabytes=megabytes)


def _timed(name: str, items: int, seconds: float, count: int, at_once: int) -> Cost:
    rate = items / max(seconds, 1e-9)
    return Cost(name=name, rate=rate, items=count, seconds=count / rate / at_once)


def _label(name: str, what: str) -> str:
    return name if what == "embeddings" else f"{name} ({what})"
