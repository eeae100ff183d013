"""How many rows a source has: counted where a file says so, else estimated from the bytes read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import FOLDER, kind_of
from molkd.formats.readers.folder import read_folder
from molkd.items.base import FileConventions

Reading = Callable[..., Iterator[Chunk]]
"""`molkd.formats.readers.read`."""

_COUNTED = {"parquet", FOLDER}


class Extent:
    """The rows of a source, more exactly the more of it has been read.

    Attributes:
        rows: how many there are; None where nobody can know before the end, as of a pipe.
    """

    def __init__(self, source: str, kind: str | None, style: FileConventions) -> None:
        """Counts what can be counted without reading the rows.

        Args:
            source: a file, a folder, or "-".
            kind: its format; by default what the suffix says.
            style: the conventions by which files hold such items.
        """
        self._source, self._kind = source, kind_of(source, kind, style)
        self.rows = _counted(source, self._kind)
        self._stream: BinaryIO | None = None

    def chunks(self, read: Reading, columns: Columns, chunk_rows: int) -> Iterator[Chunk]:
        """Yields the chunks of the source and learns from each how large the source is."""
        seen = 0
        for chunk in read(
            self._source, columns, kind=self._kind, chunk_rows=chunk_rows, opened=self._opened
        ):
            seen += len(chunk)
            share = None if self._kind in _COUNTED else self._share()
            if share:
                self.rows = max(seen, round(seen / share))
            yield chunk
        self.rows = seen

    def _opened(self, stream: BinaryIO) -> None:
        self._stream = stream

    def _share(self) -> float | None:
        """The part of the file, compressed or not, that has been read."""
        if self._stream is None:
            return None
        try:
            file = self._stream.fileno()
            return os.lseek(file, 0, os.SEEK_CUR) / os.fstat(file).st_size
        except (OSError, ValueError, ZeroDivisionError):  # a pipe, or a stream without a file
            return None


def _counted(source: str, kind: str) -> int | None:
    try:
        if kind == FOLDER:
            return sum(1 for _ in read_folder(Path(source), Columns()))
        if kind == "parquet":
            return pq.read_metadata(source).num_rows
    except (pa.ArrowException, OSError):  # compressed, a pipe, or damaged: reading it will tell
        pass
    return None
