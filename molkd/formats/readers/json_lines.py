"""JSON lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from molkd.formats.chunks import Row
from molkd.formats.columns import Columns
from molkd.formats.streams import text_lines
from molkd.formats.values import identifier_of, text_of

_Keys = tuple[str, str | None, tuple[str, ...]]
"""Names of the items, of their identifiers, and of what is kept."""


def read_json_lines(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the rows of a file of JSON objects; the first of them names the columns.

    A line that is no object, or lacks the column, is a row that cannot be read.

    Raises:
        InputError: the first object lacks a column, or the file holds no text.
    """
    keys: _Keys | None = None
    for number, line in enumerate(text_lines(stream, name), 1):
        if not line.strip():
            continue
        record = _parsed(line)
        if isinstance(record, str):
            yield None, None, f"line {number} {record}", None
            continue
        if keys is None:
            keys = _keys(columns, list(record), name)
        yield _row(record, keys, columns, number)


def _parsed(line: str) -> dict[str, Any] | str:
    """The object of a line, or what is wrong with it."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"is no JSON: {error}"
    return cast("dict[str, Any]", value) if isinstance(value, dict) else "is no JSON object"


def _keys(columns: Columns, names: Sequence[str], file: str) -> _Keys:
    places = columns.find(names, file)
    identifier = None if places.id is None else names[places.id]
    return names[places.item], identifier, tuple(places.kept)


def _row(record: dict[str, Any], keys: _Keys, columns: Columns, number: int) -> Row:
    key, identifier, names = keys
    name = None if identifier is None else identifier_of(record.get(identifier))
    kept = {one: text_of(record.get(one)) for one in names} if names else None
    text = record.get(key)
    if text is not None and not isinstance(text, str):
        kind = type(text).__name__
        return name, None, f"line {number}: {key!r} is a {kind}, not a string", kept
    return name, None if text is None else columns.style.value_of(text), None, kept
