"""How many rows a source has: counted where a file says so, else estimated from the bytes read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.formats.readers import FOLDER
from molkd.formats.readers.folder import read_folder
from molkd.formats.rows import Chunk, Columns


class Extent:
    """The rows of a source, more exactly the more of it has been read.

    Attributes:
        rows: how many there are; None where nobody can know before the end, as of a pipe.
    """

    def __init__(self, source: str, kind: str) -> None:
        """Counts what can be counted without reading the rows.

        Args:
            source: a file, a folder, or "-".
            kind: its format.
        """
        self.rows = _counted(source, kind)
        self._known = kind in {"parquet", FOLDER}
        self._stream: BinaryIO | None = None

    def opened(self, stream: BinaryIO) -> None:
        """Takes the stream that the rows are read from."""
        self._stream = stream

    def followed(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Yields chunks as they are and learns from each how large the source is."""
        read = 0
        for chunk in chunks:
            read += len(chunk)
            share = None if self._known else self._share()
            if share:
                self.rows = max(read, round(read / share))
            yield chunk
        self.rows = read

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
