"""What an item of a corpus is: how it is read, told apart, checked and split.

A kind of items is data: functions with one signature each. Teachers and students say by its name
what they read; bank, objectives and the training loop hand items on without looking at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from molkd.formats.records import Style
from molkd.types import Rows


@dataclass(frozen=True, slots=True)
class Checked:
    """Items after they have been read once.

    Attributes:
        keys: one string per row; equal strings are equal items, and a bank knows rows by them.
        items: one per row: what teachers and students are given; arbitrary where the row failed.
        failures: row -> why the item cannot be used, in words.
    """

    keys: list[str]
    items: list[Any]
    failures: dict[int, str]


class Split(Protocol):
    """Splits rows into training and validation rows; see `molkd.splits`."""

    def __call__(self, keys: Sequence[str], /, *, fraction: float, seed: int) -> tuple[Rows, Rows]:
        """Returns both, ascending."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemKind:
    """A kind of items.

    Attributes:
        name: what many of them are called: "molecules".
        one: what one of them is called: "molecule".
        example: program that embeds some with the student of a folder.
        style: what a column of them is called, and how a missing one is written.
        standardizations: what can be done to items first; the first is to do nothing.
        check: reads items of every usual form; level is one of `standardizations`.
        parse: items as `check` gave them -> what the teachers read, once for all of them.
        splits: name -> how to choose validation rows by key.
        readable_keys: whether an item can be read from its key.
        chunk: how many are held at once where a file is embedded: those of a large file are many.
    """

    name: str
    one: str
    example: str
    style: Style
    standardizations: tuple[str, ...]
    check: Callable[[Sequence[object], str], Checked]
    parse: Callable[[Sequence[Any]], Sequence[Any]]
    splits: Mapping[str, Split]
    readable_keys: bool = True
    chunk: int = 2048
