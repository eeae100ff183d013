"""Comma- and tab-separated tables with a header, and those with other delimiters."""

from __future__ import annotations

import csv
import functools
import itertools
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from molkd.errors import InputError
from molkd.formats.chunks import Row
from molkd.formats.columns import Columns
from molkd.formats.readers import sniffing
from molkd.formats.streams import LONGEST_LINE, DamagedError, text_lines

csv.field_size_limit(LONGEST_LINE)  # for the whole process; Python's default is an eighth of it

_TOLD = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""A first line that tells spreadsheet programs the delimiter: no other program takes it for one."""


def read_csv(stream: BinaryIO, name: str, columns: Columns, delimiter: str = ",") -> Iterator[Row]:
    """Yields the rows of a table with a header; see `read_table`.

    Where the delimiter gives no header with the columns that are needed, and another one of
    `sniffing.DELIMITERS` does, that one is taken. A line `sep=;` before the header says which.

    Raises:
        InputError: a column is missing, the quoting is wrong or the file holds no text.
        DamagedError: the file ends within a quoted field.
    """
    lines, before = text_lines(stream, name), 0
    for header in lines:
        if not before and (told := _TOLD.fullmatch(header)):
            delimiter, before = told[1], 1
            continue
        chosen = sniffing.delimiter_of(header, columns, own=delimiter) or delimiter
        whole = itertools.chain([header], lines)
        yield from read_table(whole, name, columns, chosen, before=before)


read_tsv = functools.partial(read_csv, delimiter="\t")


def read_table(
    lines: Iterator[str], name: str, columns: Columns, delimiter: str, *, before: int = 0
) -> Iterator[Row]:
    """Yields the rows of a table whose fields may be quoted with double quotes.

    A row with too few or too many fields counts as one that cannot be read, for its fields cannot
    be told apart. Blank lines count likewise, except at the end of the file. An empty identifier is
    a missing one. Reasons and errors count lines of the file, of which some may lie `before`.

    Raises:
        InputError: a column is missing or the quoting is wrong.
        DamagedError: the file ends within a quoted field.
    """
    table = csv.reader(lines, delimiter=delimiter, strict=True)
    rows = _explained(table, name, before)
    names = [field.strip() for field in next(rows, [])]
    places = columns.find(names, name)
    item, identifier, value_of = places.item, places.id, columns.style.value_of
    width, blanks, keeps = len(names), 0, bool(places.kept)
    for fields in rows:
        if not fields:
            blanks += 1
            continue
        if blanks:
            yield from [(None, None, "blank line", None)] * blanks
            blanks = 0
        if len(fields) == width:
            key = None if identifier is None else fields[identifier] or None
            kept = places.kept_of(fields) if keeps else None
            yield key, value_of(fields[item]), None, kept
        else:
            where = f"line {before + table.line_num}"
            why = f"{len(fields)} fields where the header has {width} ({where})"
            yield None, None, why, None


def _explained(table: Any, name: str, before: int) -> Iterator[list[str]]:
    """Yields rows; turns the csv module's errors into ones that name the line."""
    line = before + 1
    try:
        for fields in table:
            yield fields
            line = before + table.line_num + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            why = f"the quoted field that opens in line {line} is not closed"
            raise DamagedError(why) from error
        raise InputError(
            f"{name}, line {line}: {error}: quote a field that holds a quote, and double the quote"
        ) from error
