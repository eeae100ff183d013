"""How many rows a source has: counted where a file says so, else estimated from the bytes read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.errors import InputError
from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import EVERY_ROW, FOLDER, kind_of
from molkd.formats.readers.folder import read_folder
from molkd.formats.sources import Source, each, listed, size_of
from molkd.formats.streams import open_raw
from molkd.items.base import FileConventions

Reading = Callable[..., Iterator[Chunk]]
"""`molkd.formats.readers.read`."""

_COUNTED = {"parquet", FOLDER}


class Extent:
    """The rows of a source, more exactly the more of it has been read.

    Attributes:
        rows: how many there are; None where nobody can know before the end, as of a pipe.
    """

    def __init__(self, source: Source, kind: str | None, style: FileConventions) -> None:
        """Counts what can be counted without reading the rows.

        Args:
            source: what `molkd.formats.readers.read` takes.
            kind: its format; by default what the suffix says.
            style: the conventions by which files hold such items.
        """
        self._names = listed(source)
        self._kind = kind_of(self._names, kind, style)
        self.rows = _counted(self._names, self._kind)
        self._before, self._files = 0, 0
        self._raw: BinaryIO | None = None

    def chunks(
        self,
        read: Reading,
        columns: Columns,
        chunk_rows: int,
        spans: Iterable[range] = EVERY_ROW,
    ) -> Iterator[Chunk]:
        """Yields the chunks of the source and learns from each how large the source is.

        Args:
            read: `molkd.formats.readers.read`.
            columns: what is read.
            chunk_rows: rows at a time.
            spans: rows that are read; of the others nothing is yielded, but they count.
        """
        self._before, self._files = 0, 0
        for chunk in read(
            self._names,
            columns,
            kind=self._kind,
            chunk_rows=chunk_rows,
            opened=self._opened,
            spans=spans,
            counted=self._counted,
        ):
            seen = chunk.row0 + len(chunk)
            share = None if self._kind in _COUNTED else self._share()
            if share:
                self.rows = max(seen, round(seen / share))
            yield chunk

    def _counted(self, rows: int) -> None:
        self.rows = rows

    @cached_property
    def _sizes(self) -> list[int] | None:
        """Bytes of every file; None where one is not known."""
        sizes = each(size_of, self._names)
        known = [size for size in sizes if size is not None]
        return known if len(known) == len(sizes) else None

    def _opened(self, raw: BinaryIO) -> None:
        if self._files and self._sizes:
            self._before += self._sizes[self._files - 1]
        self._files += 1
        self._raw = raw

    def _share(self) -> float | None:
        """The part of all files, compressed or not, that has been read."""
        sizes = self._sizes
        if self._raw is None or not sizes:
            return None
        try:
            return (self._before + self._raw.tell()) / sum(sizes)
        except (OSError, ValueError, ZeroDivisionError):  # a pipe, or a stream without a file
            return None


def _counted(names: Sequence[str], kind: str) -> int | None:
    try:
        if kind == FOLDER:
            return sum(1 for _ in read_folder(Path(names[0]), Columns()))
        if kind == "parquet":
            return sum(each(_rows_of_table, names))
    except (
        pa.ArrowException,
        OSError,
        InputError,
    ):  # compressed, a pipe, or damaged: reading it will tell
        pass
    return None


def _rows_of_table(name: str) -> int:
    with open_raw(name, glance=True) as raw:
        return int(pq.read_metadata(raw).num_rows)
