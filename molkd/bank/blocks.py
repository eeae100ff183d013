"""Computing a block of a bank: the embeddings of its items by each teacher, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molkd.bank.folder import Stored, StoredType
from molkd.errors import ConfigError, MissingExtraError, ShapeError, WeightsError
from molkd.types import Embeddings, Matrix, Teacher, TeacherCard

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
        errors: row of the bank -> reason, for invalid items, which no teacher embeds.
        teachers: those that still lack it.
    """

    start: int
    items: Sequence[Any]
    errors: Mapping[int, str]
    teachers: Sequence[str]


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
class Computer:
    """Computes tasks; sent to the worker processes.

    Attributes:
        teachers: name -> teacher.
        dtypes: name -> type in which its values are stored.
        parse: applied once per block for all teachers.
    """

    teachers: Mapping[str, Teacher[Any]]
    dtypes: Mapping[str, StoredType]
    parse: Parse | None = None

    def compute(self, task: Task) -> list[Block]:
        """Returns one block per teacher of the task.

        Raises:
            ShapeError: a teacher's array has not the shape or type of its card.
            ConfigError: a value does not fit its card or the type it is stored in.
        """
        errors = dict(task.errors)
        rows = [task.start + place for place in range(len(task.items))]
        rows = [row for row in rows if row not in errors]
        objects, failed = self._parsed([task.items[row - task.start] for row in rows])
        errors.update({rows[place]: reason for place, reason in failed.items()})
        rows = [row for place, row in enumerate(rows) if place not in failed]
        return [self._block(name, task, rows, objects, errors) for name in task.teachers]

    def _parsed(self, items: Sequence[Any]) -> tuple[Sequence[Any], dict[int, str]]:
        if self.parse is None or not items:
            return items, {}
        try:
            objects = self.parse(items)
        except Exception:  # noqa: BLE001, one bad item must not cost the others
            return one_by_one(self.parse, items)
        if len(objects) != len(items):
            raise ShapeError(f"parse returned {len(objects)} objects for {len(items)} items")
        return objects, {}

    def _block(
        self,
        name: str,
        task: Task,
        rows: Sequence[int],
        objects: Sequence[Any],
        errors: Mapping[int, str],
    ) -> Block:
        card = self.teachers[name].card
        values = np.full((len(task.items), card.dim), np.nan, dtype=np.float32)
        failures = dict(errors)
        if rows:
            embedded = _embed(self.teachers[name], objects)
            values[np.asarray(rows) - task.start] = embedded.values
            failures |= {rows[place]: reason for place, reason in embedded.failures.items()}
        failures = dict(sorted(failures.items()))
        values[[row - task.start for row in failures]] = np.nan
        _refuse_off_support(values, card, task.start)
        rounded = stored(values, self.dtypes[name], card.name, "row", task.start)
        return Block(name, task.start, rounded, failures)


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
