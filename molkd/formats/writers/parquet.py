"""Parquet: a row group per chunk, embeddings as lists or bytes of fixed size, facts as metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.formats.arrow import bytes_array, number_array, text_array, truth_array
from molkd.formats.writers.kept import values_of
from molkd.formats.writers.table import EmbeddedChunk, KeptColumn, Result

_KINDS = {"integer": pa.int64(), "number": pa.float64(), "text": pa.string()}


def write_parquet(path: Path, result: Result, /, *, final: Path) -> None:  # noqa: ARG001
    """Writes columns id, the items', valid, error, those kept, and embedding; see `table.Writer`.

    Rows without an embedding have a null there.
    """
    number = pa.from_numpy_dtype(result.encoding.stored)
    embedding = pa.list_(pa.field("item", number, nullable=False), result.encoding.width)
    if result.encoding.dtype == "binary":
        embedding = pa.binary(result.encoding.width)
    fields = [*text_fields(result.column), *kept_fields(result.kept)]
    schema = pa.schema([*fields, pa.field("embedding", embedding)], metadata=dict(result.metadata))
    write_batches(path, schema, (_batch(chunk, schema, result.kept) for chunk in result.chunks))


def text_fields(column: str) -> list[Any]:
    """Returns the columns of a result beside the embedding; `column` is that of the items."""
    return [
        pa.field("id", pa.string()),
        pa.field(column, pa.string()),
        pa.field("valid", pa.bool_(), nullable=False),
        pa.field("error", pa.string()),
    ]


def text_arrays(chunk: EmbeddedChunk) -> list[Any]:
    """Returns the values of `text_fields`."""
    return [
        text_array(chunk.ids),
        text_array(chunk.items),
        truth_array(chunk.valid),
        text_array(chunk.errors),
    ]


def kept_fields(kept: Mapping[str, KeptColumn]) -> list[Any]:
    """Returns the columns that are carried from the input."""
    return [pa.field(name, _KINDS[column.kind]) for name, column in kept.items()]


def kept_arrays(chunk: EmbeddedChunk, kept: Mapping[str, KeptColumn]) -> list[Any]:
    """Returns the values of `kept_fields`."""
    return [
        pa.array(values_of(chunk, name, column), _KINDS[column.kind])
        for name, column in kept.items()
    ]


def write_batches(path: Path, schema: Any, batches: Any) -> None:
    """Writes record batches as a Parquet file, a row group each."""
    # Dictionaries and statistics of embeddings cost time and save nothing, but that Parquet has no
    # integers below 32 bits: a dictionary of 255 of them takes one byte for each. pyarrow's stubs
    # know the two options as truth values only.
    lists = [field.type for field in schema if pa.types.is_fixed_size_list(field.type)]
    small = any(pa.types.is_int8(kind.value_type) for kind in lists)
    options: dict[str, Any] = {
        "use_dictionary": ["error", *("embedding.list.element",) * small],
        "write_statistics": [name for name in schema.names if name in {"id", "smiles", "error"}],
    }
    with (
        path.open("wb") as stream,
        pq.ParquetWriter(stream, schema, compression="zstd", **options) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch, row_group_size=len(batch))


def _batch(chunk: EmbeddedChunk, schema: Any, kept: Mapping[str, KeptColumn]) -> Any:
    kind = schema.field("embedding").type
    if pa.types.is_fixed_size_binary(kind):
        embeddings = bytes_array(chunk.values, chunk.valid)
    else:
        flat, missing = number_array(chunk.values), truth_array(~chunk.valid)
        embeddings = pa.FixedSizeListArray.from_arrays(flat, type=kind, mask=missing)
    arrays = [*text_arrays(chunk), *kept_arrays(chunk, kept), embeddings]
    return pa.record_batch(arrays, schema=schema)
