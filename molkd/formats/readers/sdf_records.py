"""The records of an SD file: a molecule block and properties, closed by a line of four dollars."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from molkd.errors import InputError
from molkd.formats.streams import DamagedError

END = "$$$$"
_MOST_LINES = 1_000_000
_HEADER = re.compile(r"\s*>[^<]*<(.*)>")
_COUNTS = re.compile(r"[ \d]{3}[ \d]{3}|.*V[23]000")
_CLOSED = "\nM  END"


class Record:
    """One molecule of an SD file."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Takes all its lines, without their ends and without the line of dollars."""
        self.lines = lines
        self._text = text = "\n".join(lines)
        closed = text.find(_CLOSED)
        end = text.find("\n", closed + len(_CLOSED)) if closed >= 0 else text.find("\n>")
        self._end = len(text) if end < 0 else end  # of the molecule block

    @property
    def title(self) -> str:
        """The first line."""
        return self.lines[0].strip() if self.lines else ""

    @property
    def block(self) -> str:
        """The molecule block, as ASCII: its other characters are comments."""
        text = self._text[: self._end]
        return text if text.isascii() else text.encode("ascii", "replace").decode()

    @cached_property
    def properties(self) -> dict[str, str]:
        """Property -> value; lines of a value are joined by line feeds."""
        return {name: value for name, value in self._data[0] if name is not None}

    @property
    def is_open(self) -> bool:
        """Whether the record ends within a property."""
        return self._data[1]

    @property
    def has_data(self) -> bool:
        """Whether anything follows the molecule block."""
        return bool(self._text[self._end :].strip())

    @property
    def is_whole(self) -> bool:
        """Whether the record may end here: its block is closed, and so is its last property."""
        return _CLOSED in self._text and not self.is_open and not self._data[2]

    @cached_property
    def _data(self) -> tuple[list[tuple[str | None, str]], bool, bool]:
        """Names and values of properties, whether the last is open, and whether text is astray.

        As RDKit reads them, a value goes on until an empty line; but one of white space that a
        header follows ends it, too.
        """
        rest = self._text[self._end + 1 :].split("\n")
        found: list[tuple[str | None, str]] = []
        name, value, is_open, astray = None, list[str](), False, False
        for line, following in itertools.pairwise([*rest, ""]):
            blank = not line or (line.isspace() and following.startswith(">"))
            if is_open and not blank:
                value.append(line)
            elif is_open:
                found.append((name, "\n".join(value).strip()))
                is_open = False
            elif line.lstrip().startswith(">"):
                match = _HEADER.match(line)
                name, value, is_open = match[1] if match else None, [], True
            else:
                astray = astray or bool(line.strip())
        if is_open:
            found.append((name, "\n".join(value).strip()))
        return found, is_open, astray


def records(lines: Iterator[str], name: str) -> Iterator[Record]:
    """Splits an SD file, or yields the one record of a MOL file.

    A line that begins with four dollars within the value of a property belongs to it, as RDKit has
    it, if the rest of a property follows; else the empty line before it is missing. The last record
    may lack its dollars if it is whole.

    Raises:
        InputError: this is no SD file.
        DamagedError: the last record is not whole.
    """
    block: list[str] = []
    held: list[str] = []  # a record and a line of dollars, which may be part of a value
    before: Record | None = None
    for line in lines:
        if not (line.startswith(END) and (len(block) > 2 or line.rstrip() == END)):
            block.append(line.rstrip("\r\n"))
            if len(block) > _MOST_LINES:
                raise InputError(f"{name}: {_MOST_LINES} lines without {END}: this is no SD file")
            continue
        if held and _is_rest([*block, END]):
            block = held + block
        elif held:
            yield (before := Record(held[:-1]))
        held = [*block, line.rstrip()] if _ends_within_a_value(block) else []
        if not held:
            yield (before := Record(block))
        block = []
    if held and _is_rest(block):
        block = held + block
    elif held:
        yield (before := Record(held[:-1]))
    if any(map(str.strip, block)):
        yield _last(Record(block), before, name)


def _last(record: Record, before: Record | None, name: str) -> Record:
    """Returns a record that no dollars close, if it is whole."""
    if before is None and not (len(record.lines) < 4 or _COUNTS.match(record.lines[3])):
        raise InputError(
            f"{name}: line 4 is no counts line of a molecule, so this is no SD file: name the "
            "right format with --input-format"
        )
    if not record.is_whole or (before and before.has_data and not record.has_data):
        raise DamagedError(f"the last molecule is not closed by {END}")
    return record


def _ends_within_a_value(block: Sequence[str]) -> bool:
    if not block or not block[-1] or block[-1].startswith(_CLOSED.strip()):
        return False
    return Record(block).is_open


def _is_rest(block: Sequence[str]) -> bool:
    """Whether lines are the rest of a value, with another property or the end of the record."""
    after = next((place for place, line in enumerate(block, 1) if not line), len(block))
    return after < len(block) and block[after].startswith((">", END))
