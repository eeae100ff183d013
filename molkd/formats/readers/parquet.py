"""Parquet tables."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.errors import InputError
from molkd.formats.rows import Columns, Row
from molkd.formats.streams import DamagedError
from molkd.items.base import FileConventions
from molkd.runtime import files

_ROWS, _FEW, _BUFFER = 8192, 256, 1 << 20


def read_parquet(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the rows of a Parquet table; identifiers of any type are read as text.

    The format's index is at its end: compressed files and pipes are first copied to disk.

    Raises:
        InputError: a column is missing or holds something other than such items.
        DamagedError: the file is cut, damaged or no Parquet file.
    """
    with _seekable(stream) as source:
        try:
            file = pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise DamagedError(f"no Parquet file, or one without its end ({error})") from error
        schema = file.schema_arrow
        item, identifier = columns.find(schema.names, name)
        _refuse_others(schema.field(item), name, columns.style)
        names = [schema.names[place] for place in (item, identifier) if place is not None]
        rows = _FEW if columns.style.binary else _ROWS
        batches = file.iter_batches(rows, columns=names, use_threads=False)
        for batch in _undamaged(batches):
            items = _items(batch.column(names[0]), columns.style)
            ids = [None] * len(items) if identifier is None else batch.column(names[-1]).to_pylist()
            for key, value in zip(ids, items, strict=True):
                yield None if key is None else str(key), value, None


@contextlib.contextmanager
def _seekable(stream: BinaryIO) -> Generator[BinaryIO]:
    if stream.seekable() and not hasattr(stream, "mtime"):  # gzip seeks by decompressing again
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        with files.explained(Path(tempfile.gettempdir())):
            shutil.copyfileobj(stream, copy)
        yield copy


def _undamaged(batches: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except (pa.ArrowException, OSError) as error:
        raise DamagedError(str(error)) from error


def _items(column: Any, style: FileConventions) -> list[Any]:
    """Strings, or bytes: plain ones or those of the structs that the library `datasets` writes."""
    if style.binary:
        values = column.field("bytes") if pa.types.is_struct(column.type) else column
        return list(values.to_pylist())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    raw: list[bytes | None] = column.cast(pa.binary()).to_pylist()
    errors = "surrogateescape" if style.prose else "strict"
    return [None if one is None else style.value_of(one.decode(errors=errors)) for one in raw]


def _refuse_others(column: Any, name: str, style: FileConventions) -> None:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if style.binary:
        inner = kind.field("bytes").type if _has_bytes(kind) else kind
        fits = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_null)
    else:
        inner = kind
        texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
        fits = (*texts, pa.types.is_null)
    if not any(fit(inner) for fit in fits):
        raise InputError(
            f"{name}: column {column.name!r} holds {column.type}, not {style.noun}: choose the "
            "right column with --column"
        )


def _has_bytes(kind: Any) -> bool:
    return pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
