"""What a file of items is read into, and how its columns are chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molkd.errors import ConfigError, InputError
from molkd.items.base import FileConventions
from molkd.items.molecules.modality import SMILES
from molkd.runtime.registry import near

Row = tuple[str | None, Any, str | None]
"""Identifier (None: the row number), item (None: there is none), reason why it cannot be read.

An item is a string (SMILES, a text), the path of a file, or encoded bytes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of a file.

    Attributes:
        row0: row of the first, counted from 0 and without the header.
        ids: one per row; the row number where the file has none.
        items: one per row; None where it is missing or cannot be read.
        failures: position in this chunk -> why the row cannot be read.
    """

    row0: int
    ids: list[str]
    items: list[Any]
    failures: Mapping[int, str] = field(default_factory=dict[int, str])

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, row0: int, rows: Sequence[Row]) -> Chunk:
        """Collects rows."""
        ids = [str(row0 + place) if row[0] is None else row[0] for place, row in enumerate(rows)]
        failures = {place: row[2] for place, row in enumerate(rows) if row[2] is not None}
        return cls(row0, ids, [row[1] for row in rows], failures)

    @property
    def labels(self) -> list[str | None]:
        """What stands for each item in a file of embeddings: its text or path, None for bytes."""
        return [
            None if isinstance(item, bytes) or item is None else _writable(item)
            for item in self.items
        ]

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of the content of all rows."""
        items = [_fingerprint(item) for item in self.items]
        content = [self.row0, self.ids, items, sorted(self.failures.items())]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold the items and their identifiers.

    Attributes:
        item: column, or None to take the one with a usual name.
        id: column (in an SD file: property), or None for the format's own name of an item.
        style: the conventions by which files hold such items.
    """

    item: str | None = None
    id: str | None = None
    style: FileConventions = SMILES

    def find(self, names: Sequence[str], file: str) -> tuple[int, int | None]:
        """Returns the positions of the column of items and of the identifiers', if any.

        Raises:
            InputError: a column is missing or there are several; lists the columns of the file.
        """
        item = _position(self.item, names, file) if self.item else self._usual(names, file)
        return item, _position(self.id, names, file) if self.id else None

    def refuse(self, file: str, *, id_too: bool = False) -> None:
        """Refuses a choice of columns for a format that has none.

        Raises:
            ConfigError: a column was chosen.
        """
        if self.item or (id_too and self.id):
            option = "--column" if self.item else "--id-column"
            raise ConfigError(f"{file} has no columns to choose from: leave out {option}")

    def _usual(self, names: Sequence[str], file: str) -> int:
        places = [place for place, name in enumerate(names) if name.lower() in self.style.usual]
        if len(places) == 1:
            return places[0]
        what = "several columns" if places else "no column"
        plain = next(iter(self.style.formats))
        raise InputError(
            f"{file} has {what} with a usual name for {self.style.noun}: choose one with --column, "
            f"or read a file without a header with --input-format {plain}. {_listed(names)}"
        )


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


def _writable(item: str | Path) -> str:
    """A text with "?" for what UTF-8 cannot encode."""
    return str(item).encode(errors="replace").decode()


def _position(column: str, names: Sequence[str], file: str) -> int:
    if names.count(column) == 1:
        return names.index(column)
    what = f"{names.count(column)} columns" if column in names else "no column"
    raise InputError(f"{file} has {what} {column!r}.{near(column, names)} {_listed(names)}")


def _listed(names: Sequence[str], shown: int = 30) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"Columns: {', '.join(map(repr, names[:shown]))}{more}."
