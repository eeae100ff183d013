"""What an item of a corpus is: how it is read, told apart, checked and split.

A kind of items is data: functions with one signature each. Teachers and students say by its name
what they read; bank, objectives and the training loop hand items on without looking at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from molkd.types import Rows


@dataclass(frozen=True, slots=True)
class ReadItems:
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
    """Splits rows into training and validation rows; see `molkd.items.splits`."""

    def __call__(self, keys: Sequence[str], /, *, fraction: float, seed: int) -> tuple[Rows, Rows]:
        """Returns both, ascending."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConventions:
    """How items of one kind stand in files.

    Attributes:
        noun: what they are called in messages: "SMILES".
        column: what a column of them is called in a file of results.
        usual: names of columns, in lower case, that hold them unless another one is named.
        formats: keys of `readers.READERS`, or "folder" for files in a folder.
        missing: texts by which programs write that there is no value.
        binary: whether they are bytes rather than strings.
        prose: whether one string that is not UTF-8 costs its own row only.
    """

    noun: str
    column: str
    usual: frozenset[str]
    formats: tuple[str, ...]
    missing: frozenset[str] = frozenset()
    binary: bool = False
    prose: bool = False

    def known(self, text: str) -> str | None:
        """Returns a text as it is, and None where it stands for a missing value."""
        return None if text in self.missing else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
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
    style: FileConventions
    standardizations: tuple[str, ...]
    check: Callable[[Sequence[object], str], ReadItems]
    parse: Callable[[Sequence[Any]], Sequence[Any]]
    splits: Mapping[str, Split]
    readable_keys: bool = True
    chunk: int = 2048
