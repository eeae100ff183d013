"""npy: the bare matrix, memory-mappable, with a Parquet table of its rows beside it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from molkd.formats.writers.parquet import (
    kept_arrays,
    kept_fields,
    text_arrays,
    text_fields,
    write_batches,
)
from molkd.formats.writers.table import EmbeddedChunk, Result
from molkd.runtime import files


def write_npy(path: Path, result: Result, /, *, final: Path) -> None:
    """Writes the matrix, blank in rows without an embedding, and FINAL.ids.parquet.

    The table has columns id, the items', valid, error and those kept, and the metadata; see
    `table.Writer`.
    """
    fields = [*text_fields(result.column), *kept_fields(result.kept)]
    schema = pa.schema(fields, metadata=dict(result.metadata))
    batches = (
        pa.record_batch([*text_arrays(chunk), *kept_arrays(chunk, result.kept)], schema=schema)
        for chunk in result.chunks
    )
    with files.atomic_path(ids_path(final)) as temporary:
        write_batches(temporary, schema, batches)
    with path.open("wb") as stream:
        write_header(stream, (result.rows, result.encoding.width), result.encoding.stored)
        for chunk in result.chunks:
            stream.write(matrix_bytes(chunk))


def ids_path(final: Path) -> Path:
    """Returns the table that belongs to a matrix: OUT.npy has OUT.npy.ids.parquet."""
    return final.with_name(f"{final.name}.ids.parquet")


def write_header(stream: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    """Writes the header of a C-ordered array."""
    header = {
        "shape": shape,
        "fortran_order": False,
        "descr": np.lib.format.dtype_to_descr(dtype),
    }
    np.lib.format.write_array_header_1_0(stream, header)


def matrix_bytes(chunk: EmbeddedChunk) -> memoryview:
    """Returns the values row by row."""
    return np.ascontiguousarray(chunk.values).data.cast("B")
