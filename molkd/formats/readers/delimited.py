"""Comma- and tab-separated tables with a header."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from typing import Any, BinaryIO

from molkd.errors import InputError
from molkd.formats.rows import Columns, Row
from molkd.formats.streams import LONGEST_LINE, DamagedError, text_lines

csv.field_size_limit(LONGEST_LINE)  # for the whole process; Python's default is an eighth of it


def read_csv(stream: BinaryIO, name: str, columns: Columns, delimiter: str = ",") -> Iterator[Row]:
    """Yields the rows of a table whose fields may be quoted with double quotes.

    A row with too few or too many fields counts as one that cannot be read, for its fields cannot
    be told apart. Blank lines count likewise, except at the end of the file.

    Raises:
        InputError: a column is missing, the quoting is wrong or the text is not UTF-8.
        DamagedError: the file ends within a quoted field.
    """
    table = csv.reader(text_lines(stream, name, columns.style), delimiter=delimiter, strict=True)
    rows = _explained(table, name)
    names = [field.strip() for field in next(rows, [])]
    item, identifier = columns.find(names, name)
    width, blanks = len(names), 0
    for fields in rows:
        if not fields:
            blanks += 1
            continue
        if blanks:
            yield from [(None, None, "blank line")] * blanks
            blanks = 0
        if len(fields) == width:
            text = columns.style.value_of(fields[item])
            yield None if identifier is None else fields[identifier], text, None
        else:
            where = f"line {table.line_num}"
            yield None, None, f"{len(fields)} fields where the header has {width} ({where})"


read_tsv = functools.partial(read_csv, delimiter="\t")


def _explained(table: Any, name: str) -> Iterator[list[str]]:
    """Yields rows; turns the csv module's errors into ones that name the line."""
    line = 1
    try:
        for fields in table:
            yield fields
            line = int(table.line_num) + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            why = f"the quoted field that opens in line {line} is not closed"
            raise DamagedError(why) from error
        raise InputError(
            f"{name}, line {line}: {error}: quote a field that holds a quote, and double the quote"
        ) from error
