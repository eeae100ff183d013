"""Parquet tables."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.errors import InputError, MolkdError
from molkd.formats import arrow
from molkd.formats.chunks import Row
from molkd.formats.columns import Columns, Places
from molkd.formats.rows import Rows
from molkd.formats.streams import DamagedError, first_bytes, seeks
from molkd.formats.values import identifier_of, text_of
from molkd.items.base import FileConventions
from molkd.runtime import files

_ROWS, _FEW, _BUFFER = 8192, 256, 1 << 20
_MAGIC = b"PAR1"
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)
"""What pyarrow raises; the third of names that are not UTF-8, the last of values without bounds."""


def read_parquet(stream: BinaryIO, name: str, columns: Columns) -> Rows:
    """Returns the rows of a Parquet table; identifiers of any type are read as text.

    The format's index is at its end: compressed files and pipes are first copied to disk.

    Raises:
        InputError: a column is missing or holds something other than such items, or this is no
            Parquet file.
        DamagedError: the file is cut or damaged.
    """
    if not first_bytes(stream).startswith(_MAGIC):
        raise InputError(f"{name} is no Parquet file: name its format with --input-format")
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(_seekable(stream))
        try:
            file = pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
        except MolkdError:  # of a store
            raise
        except _DAMAGE as error:
            raise DamagedError(f"no Parquet file, or one without its end ({error})") from error
        schema = file.schema_arrow
        places = columns.find(schema.names, name)
        _refuse_others(schema.field(places.item), name, columns.style)
        return _Table(name, file, places, columns.style, stack.pop_all())


class _Table(Rows):
    """The rows of a table; what is passed over is read no further than its row group requires."""

    def __init__(
        self,
        name: str,
        file: Any,
        places: Places,
        style: FileConventions,
        resources: contextlib.ExitStack,
    ) -> None:
        some = (places.item, places.id, *places.kept.values())
        self._names = [file.schema_arrow.names[place] for place in some if place is not None]
        self._file, self._places, self._style, self._resources = file, places, style, resources
        meta = file.metadata
        sizes = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        self._starts = [0, *itertools.accumulate(sizes)]
        self._batch: tuple[int, Any] = (0, ())  # its first row, and itself
        self._batches = self._batches_of(0)
        super().__init__(name, self._rows_from(0))

    def skip(self, count: int) -> int:
        """See `Rows.skip`; nothing is read before the next row is taken."""
        before = self.position
        self.position = row = min(before + count, self._starts[-1])
        if row > before:
            group = bisect.bisect_right(self._starts, row) - 1
            if self._starts[group] > self._batch[0] + len(self._batch[1]):
                self._batch, self._batches = (self._starts[group], ()), self._batches_of(group)
            self._rows = self._rows_from(row)
        return row - before

    def close(self) -> None:
        """See `Rows.close`."""
        self._resources.close()

    def _batches_of(self, group: int) -> Iterator[tuple[int, Any]]:
        """Batches of a row group and all behind it, each with its first row."""
        row = self._starts[group]
        for batch in self._file.iter_batches(
            _FEW if self._style.binary else _ROWS,
            row_groups=range(group, len(self._starts) - 1),
            columns=list(dict.fromkeys(self._names)),
            use_threads=False,
        ):
            yield row, batch
            row += len(batch)

    def _rows_from(self, row: int) -> Iterator[Row]:
        """Rows from one on that lies in the batch at hand, or behind it."""
        try:
            while True:
                start, batch = self._batch
                if row < start + len(batch):
                    left = batch.slice(max(row - start, 0))
                    yield from _rows(left, self._names, self._places, self._style)
                self._batch = next(self._batches)
        except StopIteration:
            return
        except MolkdError:  # of a store
            raise
        except _DAMAGE as error:
            raise DamagedError(str(error)) from error


def _rows(batch: Any, names: list[str], places: Places, style: FileConventions) -> Iterator[Row]:
    """The rows of a batch; its columns are called `names`, those that are kept at last."""
    items = _items(batch.column(names[0]), style)
    ids = itertools.repeat(None)
    if places.id is not None:
        ids = arrow.texts(batch.column(names[1]), identifier_of)
    if not places.kept:
        return zip(ids, items, itertools.repeat(None), itertools.repeat(None), strict=False)
    kept = [arrow.texts(batch.column(name), text_of) for name in places.kept]
    rows = [dict(zip(places.kept, values, strict=True)) for values in zip(*kept, strict=True)]
    return zip(ids, items, itertools.repeat(None), rows, strict=False)


@contextlib.contextmanager
def _seekable(stream: BinaryIO) -> Generator[BinaryIO]:
    if seeks(stream):
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        with files.explained(Path(tempfile.gettempdir())):
            shutil.copyfileobj(stream, copy)
        yield copy


def _items(column: Any, style: FileConventions) -> list[Any]:
    """Strings, or bytes: plain ones or those of the structs that the library `datasets` writes."""
    if style.binary:
        values = column.field("bytes") if pa.types.is_struct(column.type) else column
        return list(values.to_pylist())
    return [None if text is None else style.value_of(text) for text in arrow.strings(column)]


def _refuse_others(column: Any, name: str, style: FileConventions) -> None:
    kind = arrow.plain(column.type)
    if style.binary and pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        kind = kind.field("bytes").type
    fits = arrow.is_bytes(kind) or (not style.binary and arrow.is_string(kind))
    if not (fits or pa.types.is_null(kind)):
        raise InputError(
            f"{name}: column {column.name!r} holds {column.type}, not {style.noun}: choose the "
            "right column with --column"
        )
