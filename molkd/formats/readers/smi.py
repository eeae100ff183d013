"""SMILES files: one molecule per line, its name after white space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from molkd.formats.chunks import Row
from molkd.formats.columns import Columns
from molkd.formats.readers import sniffing
from molkd.formats.readers.delimited import read_table
from molkd.formats.streams import peeked, text_lines
from molkd.items.base import FileConventions

_Parse = Callable[[str], tuple[str | None, str | None, str | None]]
"""From a line to identifier, item and reason."""


def read_smi(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the rows of a SMILES file.

    A CXSMILES block in bars after the first word belongs to the molecule, what follows is its
    name. A first line of names of columns, one of them usual for SMILES, is a header, and says
    where the SMILES are; with commas, semicolons, bars or several tabs the file is a table. A blank
    line is a row that cannot be read, except at the end of the file; a line that begins with a tab
    lacks its SMILES.

    Raises:
        ConfigError: columns were chosen.
        InputError: the SMILES are not where they belong, or the file holds no text.
    """
    first, lines = peeked(text_lines(stream, name), sniffing.JUDGED)
    header = first[0] if first else ""
    delimiter = sniffing.delimiter_of(header, columns)
    if delimiter and _is_table(header, delimiter, columns.style):
        yield from read_table(lines, name, columns, delimiter)
        return
    columns.refuse(name, id_too=True)
    names = sniffing.names_of(header)
    place = _place(names, columns.style)
    if place is None:
        sniffing.refuse_other_order(first, name)
    else:
        next(lines)
    parse = _words(names, place, columns) if place else _first_word
    yield from _rows(lines, parse, columns.style)


def _rows(lines: Iterator[str], parse: _Parse, style: FileConventions) -> Iterator[Row]:
    blanks = 0
    for line in lines:
        if line.isspace():
            blanks += 1
            continue
        if blanks:
            yield from [(None, None, "blank line", None)] * blanks
            blanks = 0
        title, text, why = parse(line)
        yield title or None, None if text is None else style.value_of(text), why, None


def _first_word(line: str) -> tuple[str | None, str | None, str | None]:
    """A line whose first word is a SMILES, with its CXSMILES block; the rest is its name."""
    if line[0] == "\t":
        return line.strip(), "", None
    words = line.split(None, 1)
    if len(words) == 1:
        return None, words[0], None
    text, title = words
    if title[0] == "|":
        block, bar, rest = title[1:].partition("|")
        if bar:
            return rest.strip(), f"{text} |{block}|", None
    return title.strip(), text, None


def _words(names: Sequence[str], place: int, columns: Columns) -> _Parse:
    """Reads lines in which another word than the first is the SMILES."""
    usual = columns.usual_id(names)
    key = 0 if usual is None else names.index(usual)

    def parse(line: str) -> tuple[str | None, str | None, str | None]:
        words = line.split()
        if len(words) != len(names):
            return None, None, f"{len(words)} words where the header has {len(names)}"
        return words[key], words[place], None

    return parse


def _is_table(header: str, delimiter: str, style: FileConventions) -> bool:
    """Whether the header that a delimiter gives is one, rather than a SMILES and its name.

    Tabs may also stand between the SMILES and a name of any form.
    """
    if delimiter != "\t":
        return True
    first, *others = [field.strip() for field in header.split("\t")]
    plain = len(others) == 1 and first.lower() in style.usual
    return not plain and not sniffing.is_smiles(first)


def _place(names: list[str], style: FileConventions) -> int | None:
    """Which word of each line is the SMILES, where the first line is a header."""
    usual = [place for place, name in enumerate(names) if name.lower() in style.usual]
    if usual[:1] == [0] or (len(usual) == 1 and not sniffing.is_smiles(names[0])):
        return usual[0]
    return None
