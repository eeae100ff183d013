"""JSON lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from molkd.formats.rows import Columns, Row
from molkd.formats.streams import text_lines


def read_json_lines(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the rows of a file of JSON objects; the first of them names the columns.

    A line that is no object, or lacks the column, is a row that cannot be read.

    Raises:
        InputError: the first object lacks a column.
    """
    keys: tuple[str, str | None] | None = None
    for number, line in enumerate(text_lines(stream, name, columns.style), 1):
        if not line.strip():
            continue
        record = _parsed(line)
        if isinstance(record, str):
            yield None, None, f"line {number} {record}"
            continue
        if keys is None:
            names = list(record)
            item, identifier = columns.find(names, name)
            keys = names[item], None if identifier is None else names[identifier]
        yield _row(record, keys, columns, number)


def _parsed(line: str) -> dict[str, Any] | str:
    """The object of a line, or what is wrong with it."""
    try:
        value: object = json.loads(line)
    except ValueError as error:
        return f"is no JSON: {error}"
    return cast("dict[str, Any]", value) if isinstance(value, dict) else "is no JSON object"


def _row(
    record: dict[str, Any], keys: tuple[str, str | None], columns: Columns, number: int
) -> Row:
    key, identifier = keys
    name = None if identifier is None else record.get(identifier)
    text = record.get(key)
    if text is not None and not isinstance(text, str):
        kind = type(text).__name__
        return _name(name), None, f"line {number}: {key!r} is a {kind}, not a string"
    return _name(name), None if text is None else columns.style.value_of(text), None


def _name(value: Any) -> str | None:
    return None if value is None else str(value).encode(errors="replace").decode()
