"""What a file of items is read into."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molkd.formats.values import undecodable, writable

Kept = Mapping[str, str | None]
"""Columns of one row that are carried to the output: name -> value, None for a missing one."""

Row = tuple[str | None, Any, str | None, Kept | None]
"""Identifier (None: it has none), item (None: there is none), reason why it cannot be read, columns
that are kept (None: there are none).

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

    def __str__(self) -> str:
        return f"rows {self.row0} to {self.row0 + len(self) - 1}"

    @classmethod
    def of(cls, row0: int, rows: Sequence[Row], noun: str = "item") -> Chunk:
        """Collects rows; one with a text that is not UTF-8 fails, and no other.

        Args:
            row0: row of the first.
            rows: in order.
            noun: what reasons call an item.
        """
        ids, items = [row[0] for row in rows], [row[1] for row in rows]
        failures = {place: row[2] for place, row in enumerate(rows) if row[2] is not None}
        _refuse_undecodable(items, noun, failures)
        kept = dict[str, list[str | None]]()
        if any([row[3] for row in rows]):  # noqa: C419 - twice as fast as a generator
            records = [row[3] or {} for row in rows]
            for name in dict.fromkeys(itertools.chain.from_iterable(records)):
                values = [one.get(name) for one in records]
                what = writable(name)
                kept[what] = _refuse_undecodable(values, what, failures)
        ids = _refuse_undecodable(ids, "identifier", failures)
        return cls(row0, ids, items, failures, kept)

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


def _refuse_undecodable(values: list[Any], what: str, failures: dict[int, str]) -> list[Any]:
    """Adds a reason for every text that is not UTF-8; returns them all so that they can be written.

    A row that has a reason already keeps it.
    """
    with contextlib.suppress(TypeError):  # paths, bytes
        if "".join(filter(None, values)).isascii():
            return values
    texts = values.copy()
    for place, value in enumerate(texts):
        reason = undecodable(value, what) if isinstance(value, str) else None
        if reason:
            failures.setdefault(place, reason)
            texts[place] = writable(value)
    return texts


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
