"""The rows of files, taken or passed over."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Self

from molkd.errors import InputError, MolkdError
from molkd.formats.chunks import Row
from molkd.formats.streams import DAMAGE

_UNREADABLE = (*DAMAGE, OSError)
"""What a damaged file raises, or a disk that is."""


class Rows(Iterator[Row]):
    """The rows of one file, in order.

    A row that is passed over costs what its line costs to read; a reader that can do with less has
    a subclass with another `skip`.

    Attributes:
        name: of the file, for messages.
        position: rows that were taken or passed over.
    """

    def __init__(
        self, name: str, records: Iterator[Any], row_of: Callable[[Any], Row] | None = None
    ) -> None:
        """Prepares reading.

        Args:
            name: of the file.
            records: the rows, or that which becomes them.
            row_of: makes a row of a record; called for none that is passed over.
        """
        self.name, self.position = name, 0
        self._records = records
        self._rows: Iterator[Row] = map(row_of, records) if row_of else records

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> Row:
        row = self.take(1)
        if not row:
            raise StopIteration
        return row[0]

    def take(self, count: int) -> list[Row]:
        """Returns the next rows, fewer at the end of the file.

        Raises:
            InputError: the file is cut or damaged, or no file of its format.
        """
        taken: list[Row] = []
        try:
            for row in itertools.islice(self._rows, count):
                taken.append(row)  # noqa: PERF402 - what came before the damage is counted
        except MolkdError:
            raise
        except _UNREADABLE as error:
            raise damaged(self.name, self.position + len(taken), error) from error
        self.position += len(taken)
        return taken

    def skip(self, count: int) -> int:
        """Passes over the next rows; returns how many there were, fewer at the end of the file.

        Raises:
            InputError: the file is cut or damaged, or no file of its format.
        """
        before = self.position
        try:
            for _ in itertools.islice(self._records, count):
                self.position += 1
        except MolkdError:
            raise
        except _UNREADABLE as error:
            raise damaged(self.name, self.position, error) from error
        return self.position - before

    def close(self) -> None:
        """Gives back what reading took, but for the stream, which belongs to whoever opened it."""


class Joined:
    """The rows of several files, one after another."""

    def __init__(self, files: Iterator[Rows]) -> None:
        """Begins with the first file; the next one is asked for when it has come to its end."""
        self._files = files
        self._rows = next(files, None)

    @property
    def ended(self) -> bool:
        """Whether all files have come to their ends."""
        return self._rows is None

    def take(self, count: int) -> list[Row]:
        """Returns the next rows, fewer at the end of all files."""
        taken: list[Row] = []
        while self._rows is not None and len(taken) < count:
            taken += self._rows.take(count - len(taken))
            if len(taken) < count:
                self._rows = next(self._files, None)
        return taken

    def skip(self, count: int) -> int:
        """Passes over the next rows; returns how many there were."""
        passed = 0
        while self._rows is not None and passed < count:
            passed += self._rows.skip(count - passed)
            if passed < count:
                self._rows = next(self._files, None)
        return passed


def damaged(name: str, count: int, error: Exception) -> InputError:
    """Returns the error of a file whose first `count` rows are whole."""
    last = f"the last good row is {count - 1}, counted from 0" if count else "no row is whole"
    return InputError(
        f"{name} is cut or damaged: {error}; {last}. Copy or download the file again."
    )
