"""The records of an SD file: a molecule block and properties, closed by a line of four dollars."""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from molkd.errors import InputError
from molkd.formats.streams import DamagedError

END = "$$$$"
_MOST_LINES = 1_000_000
_HEADER = re.compile(r"\s*>[^<]*<(.*)>")
_COUNTS = re.compile(r"[ \d]{3}[ \d]{3}|.*V[23]000")
_CLOSED = "M  END"


@dataclass(frozen=True)
class Record:
    """One molecule of an SD file.

    Attributes:
        lines: all its lines, without their ends and without the line of dollars.
    """

    lines: Sequence[str]

    @property
    def title(self) -> str:
        """The first line."""
        return self.lines[0].strip() if self.lines else ""

    @property
    def block(self) -> str:
        """The molecule block, as ASCII: its other characters are comments."""
        text = "\n".join(self.lines[: self._end])
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
        return any(map(str.strip, self.lines[self._end :]))

    @property
    def is_whole(self) -> bool:
        """Whether the record may end here: its block is closed, and so is its last property."""
        closed = self._end > 0 and self.lines[self._end - 1].startswith(_CLOSED)
        return closed and not self.is_open and not self._data[2]

    @cached_property
    def _end(self) -> int:
        """Number of lines of the molecule block."""
        for place, line in enumerate(self.lines):
            if line.startswith(_CLOSED) and place > 2:
                return place + 1
        return next(
            (p for p, line in enumerate(self.lines) if p > 3 and line.startswith(">")),
            len(self.lines),
        )

    @cached_property
    def _data(self) -> tuple[list[tuple[str | None, str]], bool, bool]:
        """Names and values of properties, whether the last is open, and whether text is astray.

        As RDKit reads them, a value goes on until an empty line; but one of white space that a
        header follows ends it, too.
        """
        rest = self.lines[self._end :]
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
    it, unless it is nothing but four dollars and no rest of a property follows: then the empty line
    before it is missing. The last record may lack its dollars if it is whole.

    Raises:
        InputError: this is no SD file.
        DamagedError: the last record is not whole.
    """
    ahead: deque[str] = deque()
    block: list[str] = []
    before: Record | None = None
    while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
        if line.startswith(END) and _closes(line, block, lines, ahead):
            before = Record(block)
            yield before
            block = []
        else:
            block.append(line.rstrip("\r\n"))
        if len(block) > _MOST_LINES:
            raise InputError(f"{name}: {_MOST_LINES} lines without {END}: this is no SD file")
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


def _closes(line: str, block: Sequence[str], lines: Iterator[str], ahead: deque[str]) -> bool:
    """Whether a line that begins with dollars closes the record."""
    exact = line.rstrip() == END
    if len(block) < 3:
        return exact
    if not block[-1] or block[-1].startswith(_CLOSED):
        return True
    if not Record(block).is_open:
        return True
    return exact and not _goes_on(lines, ahead)


def _goes_on(lines: Iterator[str], ahead: deque[str]) -> bool:
    """Whether the rest of a property follows, and then another property or the end of the record.

    Lines that are read for it are put into `ahead`.
    """
    seen: list[str] = []
    blank = False
    try:
        while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
            seen.append(line)
            if blank:
                return line.startswith((">", END))
            if line.rstrip() == END:
                return False
            blank = not line.rstrip("\r\n")
        return False
    finally:
        ahead.extendleft(reversed(seen))
