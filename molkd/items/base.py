"""Modalities: how the items of one kind are read, identified, split and stored in files.

A modality is an instance of `Modality`, not a class. Teachers and students name the one they read;
bank, objectives and the training loop pass items on without looking at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from molkd.types import Rows

ReadT = TypeVar("ReadT")


class InvalidItemError(ValueError):
    """An item is not usable; the message is the reason shown to the user."""


@dataclass(frozen=True, slots=True)
class ReadItems:
    """Items after they have been read once.

    Attributes:
        keys: one string per row, by which a bank identifies it; equal items have equal keys.
        items: one per row, for teachers and students; arbitrary where the row failed.
        failures: row -> why the item cannot be used, in words.
    """

    keys: list[str]
    items: list[Any]
    failures: dict[int, str]


def read_each(
    read: Callable[[object], ReadT], items: Sequence[object]
) -> tuple[list[ReadT], list[int], dict[int, str]]:
    """Returns what a function returns for usable items, their rows, and row -> reason for others.

    Args:
        read: raises an `InvalidItemError` for an item that is not usable.
        items: of any form.
    """
    results: list[ReadT] = []
    rows: list[int] = []
    failures: dict[int, str] = {}
    for row, item in enumerate(items):
        try:
            results.append(read(item))
            rows.append(row)
        except InvalidItemError as error:
            failures[row] = str(error)
    return results, rows, failures


def described(item: object) -> str:
    """Returns words for an item of a type that is not usable."""
    missing = item is None or str(item).lower() in {"nan", "nat", "<na>"}
    return "a missing value" if missing else f"a value of type {type(item).__name__}"


class Split(Protocol):
    """Splits rows into training and validation rows; see `molkd.items.splits`."""

    def __call__(self, keys: Sequence[str], /, *, fraction: float, seed: int) -> tuple[Rows, Rows]:
        """Returns both, ascending."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConventions:
    """The conventions by which files hold items of one modality.

    Attributes:
        noun: the items in messages: "SMILES".
        column: name of their column in files of embeddings.
        usual: names of columns, in lower case, that hold them unless another one is chosen.
        formats: names in `molkd.formats.readers.READERS`, or "folder" for files in a folder.
        ids: names of columns that hold their identifiers unless another one is chosen, in lower
            case with "_" for a space, by preference.
        missing: texts that stand for a missing value.
        binary: whether they are bytes rather than strings.
    """

    noun: str
    column: str
    usual: frozenset[str]
    formats: tuple[str, ...]
    ids: tuple[str, ...] = ("id",)
    missing: frozenset[str] = frozenset()
    binary: bool = False

    def value_of(self, text: str) -> str | None:
        """Returns a text, or None where it stands for a missing value."""
        return None if text in self.missing else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
    """A kind of items.

    Attributes:
        name: plural: "molecules".
        one: singular: "molecule".
        example: program for the student's model card that embeds some items.
        style: how files hold the items.
        standardizations: levels of standardisation; the first changes nothing.
        check: reads items of every usual form, standardised to one of these levels.
        parse: turns the items of `check` into what teachers read, once for all teachers.
        splits: name -> how to choose validation rows by key.
        sees: what a student tells apart and what not, in a sentence or two for its model card.
        readable_keys: whether an item can be read from its key.
        chunk: items in memory at once where a file is embedded.
    """

    name: str
    one: str
    example: str
    style: FileConventions
    standardizations: tuple[str, ...]
    check: Callable[[Sequence[object], str], ReadItems]
    parse: Callable[[Sequence[Any]], Sequence[Any]]
    splits: Mapping[str, Split]
    sees: str = ""
    readable_keys: bool = True
    chunk: int = 2000
