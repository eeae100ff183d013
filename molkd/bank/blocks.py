"""Computing a block of a bank: the embeddings of its items by each teacher, checked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from molkd.bank.folder import Stored, StoredType
from molkd.errors import ConfigError, MissingExtraError, ShapeError, WeightsError
from molkd.runtime.engines import MAPS
from molkd.runtime.processes import tick
from molkd.runtime.progress import Progress
from molkd.types import Embeddings, Matrix, Teacher, TeacherCard

TeacherT = TypeVar("TeacherT", bound=Teacher[Any])
BlockT = TypeVar("BlockT")

Parse = Callable[[Sequence[Any]], Sequence[Any]]
"""Turns items into what teachers read."""

NOT_THE_ITEMS = (ConfigError, MissingExtraError, ShapeError, WeightsError)
"""Errors of a teacher that no item causes: they end the building."""


@dataclass(frozen=True, slots=True)
class Task:
    """A block to compute.

    Attributes:
        start: its first row.
        items: its items.
        failures: teacher that still lacks the block -> row of the bank -> why it is skipped.
    """

    start: int
    items: Sequence[Any]
    failures: Mapping[str, Mapping[int, str]]

    def __str__(self) -> str:
        return f"rows {self.start} to {self.start + len(self.items) - 1}"


@dataclass(frozen=True, slots=True)
class Block:
    """The embeddings of one block by one teacher.

    Attributes:
        teacher: name.
        start: first row.
        values: shape (m, d), as it will be stored; NaN where the item failed.
        failures: row of the bank -> reason.
    """

    teacher: str
    start: int
    values: Stored
    failures: Mapping[int, str]


@dataclass(frozen=True)
class Computer(ABC, Generic[TeacherT, BlockT]):
    """Computes blocks; sent to the worker processes.

    Attributes:
        teachers: name -> teacher.
        dtypes: name -> type in which its values are stored.
        parse: applied once per block for all teachers.
    """

    teachers: Mapping[str, TeacherT]
    dtypes: Mapping[str, StoredType]
    parse: Parse | None = None

    def run(
        self,
        items: Sequence[Any],
        failures: Mapping[str, Mapping[int, str]],
        done: Mapping[str, int],
        *,
        block: int,
        jobs: int,
        engine: str,
        label: str,
        progress: bool,
    ) -> Iterator[list[BlockT]]:
        """Yields the blocks that teachers lack, those of the same rows together, in order.

        Args:
            items: of the bank.
            failures: teacher -> row -> why it is skipped.
            done: teacher -> rows that it has.
            block: rows per block.
            jobs: processes.
            engine: where they are, a name in `molkd.runtime.engines.MAPS`.
            label: of the progress bar.
            progress: whether to show it.

        Raises:
            ShapeError: a teacher's array has not the shape or type that it should have.
            ConfigError: a value does not fit a teacher's card or the type it is stored in.
        """
        first, total = min(done.values(), default=len(items)), len(items)
        tasks = _tasks(items, failures, done, range(first, total, block))
        with Progress(
            f"{label} ({len(done)})",
            total * len(done),
            unit="embeddings",
            initial=sum(done.values()),
            shown=progress and bool(done),
        ) as bar:
            yield from MAPS[engine](self.compute, tasks, jobs=jobs, ticked=bar.reach)
            bar.reach(total * len(done) - sum(done.values()))

    def compute(self, task: Task) -> list[BlockT]:
        """Returns one block per teacher of the task."""
        rows = range(task.start, task.start + len(task.items))
        rows = [row for row in rows if any(row not in f for f in task.failures.values())]
        objects, failed = self.read([task.items[row - task.start] for row in rows])
        unparsed = {rows[place]: reason for place, reason in failed.items()}
        parsed = dict(zip([row for row in rows if row not in unparsed], objects, strict=True))
        blocks: list[BlockT] = []
        for name, failures in task.failures.items():
            blocks.append(self.block_of(name, task, parsed, {**unparsed, **failures}))
            tick(len(task.items))
        return blocks

    @abstractmethod
    def block_of(
        self, name: str, task: Task, parsed: Mapping[int, Any], failures: dict[int, str]
    ) -> BlockT:
        """Returns a teacher's block, from row -> object and row -> why it is skipped."""

    def read(self, items: Sequence[Any]) -> tuple[Sequence[Any], dict[int, str]]:
        """Returns what teachers read of items that can be parsed, and place -> reason of others."""
        if self.parse is None or not items:
            return items, {}
        try:
            objects = self.parse(items)
        except Exception:  # noqa: BLE001, one bad item must not cost the others
            return one_by_one(self.parse, items)
        if len(objects) != len(items):
            raise ShapeError(f"parse returned {len(objects)} objects for {len(items)} items")
        return objects, {}


class RowComputer(Computer[Teacher[Any], Block]):
    """Computes the embeddings of items."""

    def block_of(
        self, name: str, task: Task, parsed: Mapping[int, Any], failures: dict[int, str]
    ) -> Block:
        """Embeds the items; see `Computer`."""
        card = self.teachers[name].card
        values = np.full((len(task.items), card.dim), np.nan, dtype=np.float32)
        rows = [row for row in parsed if row not in failures]
        if rows:
            embedded = _embed(self.teachers[name], [parsed[row] for row in rows])
            values[np.asarray(rows) - task.start] = embedded.values
            failures |= {rows[place]: reason for place, reason in embedded.failures.items()}
        failures = dict(sorted(failures.items()))
        values[[row - task.start for row in failures]] = np.nan
        _refuse_off_support(values, card, task.start)
        rounded = stored(values, self.dtypes[name], card.name, "row", task.start)
        return Block(name, task.start, rounded, failures)


def _tasks(
    items: Sequence[Any],
    failures: Mapping[str, Mapping[int, str]],
    done: Mapping[str, int],
    starts: range,
) -> Iterator[Task]:
    for start in starts:
        part = items[start : start + starts.step]
        rows = range(start, start + len(part))
        lacking = {
            name: {row: failures[name][row] for row in rows if row in failures[name]}
            for name, count in done.items()
            if count <= start
        }
        yield Task(start, part, lacking)


def _embed(teacher: Teacher[Any], objects: Sequence[Any]) -> Embeddings:
    try:
        return _checked(teacher.embed(objects), teacher.card, len(objects))
    except NOT_THE_ITEMS:
        raise
    except Exception:  # noqa: BLE001, one by one, to find the items that cause it
        singles, failures = one_by_one(
            lambda single: [_checked(teacher.embed(single), teacher.card, 1)], objects
        )
    values = np.full((len(objects), teacher.card.dim), np.nan, dtype=np.float32)
    places = [place for place in range(len(objects)) if place not in failures]
    for place, single in zip(places, singles, strict=True):
        values[place] = single.values[0]
        if single.failures:
            failures[place] = single.failures[0]
    return Embeddings(values, failures)


def one_by_one(
    function: Callable[[Sequence[Any]], Sequence[Any]], items: Sequence[Any]
) -> tuple[list[Any], dict[int, str]]:
    """Returns the results of items that do not raise, and place -> reason for the others."""
    results: list[Any] = []
    failures: dict[int, str] = {}
    for place, item in enumerate(items):
        try:
            results.append(function([item])[0])
        except NOT_THE_ITEMS:
            raise
        except Exception as error:  # noqa: BLE001, it becomes the reason of this row
            reason = str(error).encode(errors="replace").decode()
            failures[place] = reason or type(error).__name__
    return results, failures


def _checked(embedded: Embeddings, card: TeacherCard, count: int) -> Embeddings:
    values = embedded.values
    if values.shape != (count, card.dim) or values.dtype != np.float32:
        raise ShapeError(
            f"teacher {card.name!r} returned shape {values.shape} of {values.dtype} for {count} "
            f"items, expected ({count}, {card.dim}) of float32"
        )
    refuse_outside(embedded.failures, card.name, count)
    failures = dict(embedded.failures)
    for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
        failures.setdefault(row, "the teacher returned NaN or infinity")
    return Embeddings(values, failures)


def refuse_outside(failures: Mapping[int, str], teacher: str, count: int) -> None:
    """Raises a `ShapeError` where a teacher reports a row that it was not given."""
    outside = [row for row in failures if not 0 <= row < count]
    if outside:
        raise ShapeError(f"teacher {teacher!r} reports row {outside[0]} of {count} as failed")


def _refuse_off_support(values: Matrix, card: TeacherCard, start: int) -> None:
    if card.support == "real":
        return
    wrong = values < 0 if card.support == "counts" else (values != 0) & (values != 1)
    wrong &= ~np.isnan(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise ConfigError(
            f"the card of teacher {card.name!r} says {card.support}, but row {start + row}, "
            f"column {column} is {values[row, column]}: correct its card"
        )


def stored(values: Matrix, dtype: StoredType, name: str, what: str, start: int) -> Stored:
    """Returns values in the type they are stored in.

    Args:
        values: shape (m, d).
        dtype: that type.
        name: of the teacher, for the message.
        what: a row in words, for the message: "row".
        start: number of the first row, for the message.

    Raises:
        ConfigError: a value is too large for it.
    """
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float16) if dtype == "fp16" else values
    lost = np.isinf(rounded)
    if lost.any():
        row, column = np.argwhere(lost)[0].tolist()
        raise ConfigError(
            f"teacher {name!r}: {what} {start + row}, column {column} is {values[row, column]}, "
            "too large for fp16: delete the folder of this teacher and build with dtype 'fp32'"
        )
    return rounded
