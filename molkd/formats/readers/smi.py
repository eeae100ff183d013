"""SMILES files: one molecule per line, its name after white space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from molkd.formats.rows import Columns, Row
from molkd.formats.streams import text_lines


def read_smi(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the rows of a SMILES file.

    A first line whose first word is "smiles", in any case, is a header. A blank line is a row that
    cannot be read, except at the end of the file; a line that begins with a tab lacks its SMILES.

    Raises:
        ConfigError: columns were chosen.
        InputError: the text is not UTF-8.
    """
    columns.refuse(name, id_too=True)
    blanks = 0
    for number, line in enumerate(text_lines(stream, name)):
        words = line.split(None, 1)
        if not words:
            blanks += 1
            continue
        if number == 0 and words[0].lower() == "smiles":
            continue
        yield from [(None, None, "blank line")] * blanks
        blanks = 0
        if line[0] == "\t":
            yield line.strip(), "", None
        else:
            title = words[1].strip() if len(words) == 2 else None
            yield title or None, columns.style.value_of(words[0]), None
