"""What a file of items is read into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from molkd.formats.values import undecodable, writable

Kept = Mapping[str, str | None]
"""Columns of one row that are carried to the output: name -> value, None for a missing one."""

NONE_KEPT: Kept = MappingProxyType({})

Row = tuple[str | None, Any, str | None, Kept]
"""Identifier (None: it has none), item (None: there is none), reason why it cannot be read, columns
that are kept.

An item is a string (SMILES, a text), the path of a file, or encoded bytes. In any text of a row, a
byte that is not UTF-8 is a lone surrogate."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of a file.

    Attributes:
        row0: row of the first, counted from 0 and without the header.
        ids: one per row; None where it has none.
        items: one per row; None where it is missing or cannot be read.
        failures: position in this chunk -> why the row cannot be read.
        kept: column that is carried to the output -> a text per row, None for a missing one.
    """

    row0: int
    ids: list[str | None]
    items: list[Any]
    failures: Mapping[int, str] = field(default_factory=dict[int, str])
    kept: Mapping[str, list[str | None]] = field(default_factory=dict[str, list[str | None]])

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, row0: int, rows: Sequence[Row], noun: str = "item") -> Chunk:
        """Collects rows; one with a text that is not UTF-8 fails, and no other.

        Args:
            row0: row of the first.
            rows: in order.
            noun: what reasons call an item.
        """
        ids, items, reasons, all_kept = map(list, zip(*rows, strict=True)) if rows else ([],) * 4
        failures = {place: why for place, why in enumerate(reasons) if why is not None}
        names = dict.fromkeys(name for kept in all_kept if kept for name in kept)
        kept = {name: [values.get(name) for values in all_kept] for name in names}
        _refuse_undecodable(items, noun, failures)
        for column, what in ((ids, "identifier"), *((kept[name], name) for name in names)):
            for place in _refuse_undecodable(column, what, failures):
                column[place] = writable(column[place])
        return cls(row0, ids, items, failures, {writable(name): kept[name] for name in names})

    @property
    def readable(self) -> list[Any]:
        """The items, None in the place of those that cannot be read."""
        if not self.failures:
            return self.items
        return [None if row in self.failures else item for row, item in enumerate(self.items)]

    @property
    def labels(self) -> list[str | None]:
        """What stands for each item in a file of embeddings: its text or path, None for bytes."""
        return [
            None if isinstance(item, bytes) or item is None else writable(str(item))
            for item in self.items
        ]

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of the content of all rows."""
        items = [_fingerprint(item) for item in self.items]
        content = [self.row0, self.ids, items, sorted(self.failures.items())]
        if self.kept:
            content.append(list(self.kept.items()))
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _refuse_undecodable(values: Sequence[Any], what: str, failures: dict[int, str]) -> list[int]:
    """Adds a reason for every text that is not UTF-8; returns their places."""
    wrong: list[int] = []
    for place, value in enumerate(values):
        if isinstance(value, str) and not value.isascii():
            reason = undecodable(value, writable(what))
            if reason:
                failures.setdefault(place, reason)
                wrong.append(place)
    return wrong


def _fingerprint(item: Any) -> object:
    """A JSON value that changes with the item; of a file its size and time, not its content."""
    if isinstance(item, bytes):
        return hashlib.sha256(item).hexdigest()
    if isinstance(item, Path):
        try:
            status = item.stat()
        except OSError:
            return [str(item)]
        return [str(item), status.st_size, status.st_mtime_ns]
    return item
