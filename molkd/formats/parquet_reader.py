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

from molkd import store
from molkd.errors import InputError
from molkd.formats.records import Columns, Row, text_or_missing
from molkd.formats.sources import DamagedError

_ROWS, _BUFFER = 8192, 1 << 20


def read_parquet(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the rows of a Parquet table; identifiers of any type are read as text.

    The format's index is at its end: compressed files and pipes are first copied to disk.

    Raises:
        InputError: a column is missing or holds no text.
        DamagedError: the file is cut, damaged or no Parquet file.
    """
    with _seekable(stream) as source:
        try:
            file = pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise DamagedError(f"no Parquet file, or one without its end ({error})") from error
        schema = file.schema_arrow
        smiles, identifier = columns.find(schema.names, name)
        _refuse_numbers(schema.field(smiles), name)
        wanted = [schema.names[place] for place in (smiles, identifier) if place is not None]
        batches = file.iter_batches(_ROWS, columns=wanted, use_threads=False)
        for batch in _undamaged(batches):
            texts = batch.column(wanted[0]).to_pylist()
            ids = (
                [None] * len(texts) if identifier is None else batch.column(wanted[-1]).to_pylist()
            )
            for key, text in zip(ids, texts, strict=True):
                known = None if text is None else text_or_missing(text)
                yield None if key is None else str(key), known, None


@contextlib.contextmanager
def _seekable(stream: BinaryIO) -> Generator[BinaryIO]:
    if stream.seekable() and not hasattr(stream, "mtime"):  # gzip seeks by decompressing again
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        with store.explained(Path(tempfile.gettempdir())):
            shutil.copyfileobj(stream, copy)
        yield copy


def _undamaged(batches: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except (pa.ArrowException, OSError) as error:
        raise DamagedError(str(error)) from error


def _refuse_numbers(column: Any, name: str) -> None:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    texts = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_null,
    )
    if not any(is_text(kind) for is_text in texts):
        raise InputError(
            f"{name}: column {column.name!r} holds {column.type}, not SMILES: choose the right "
            "column with --smiles-column"
        )
