"""Plain texts: one per line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from molkd.formats.chunks import Row
from molkd.formats.columns import Columns
from molkd.formats.streams import text_lines


def read_txt(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the lines of a file; a blank one is an empty text, except at the end of the file.

    Raises:
        ConfigError: columns were chosen.
        InputError: the file holds no text, or a line is longer than any.
    """
    columns.refuse(name, id_too=True)
    blanks = 0
    for line in text_lines(stream, name):
        text = line.rstrip("\r\n")
        if not text.strip():
            blanks += 1
            continue
        yield from [(None, "", None, None)] * blanks
        blanks = 0
        yield None, columns.style.value_of(text), None, None
