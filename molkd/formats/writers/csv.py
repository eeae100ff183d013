"""csv: one column per dimension, for spreadsheets and small results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from molkd.formats.writers.parquet import kept_arrays, kept_fields, text_arrays, text_fields
from molkd.formats.writers.table import EmbeddedChunk, KeptColumn, Result


def write_csv(path: Path, result: Result, /, *, final: Path) -> None:  # noqa: ARG001
    """Writes columns id, the items', valid, error, those kept, molkd_0, molkd_1, ...

    Numbers have as many digits as bring back the same value; rows without an embedding are empty.
    Columns that are kept have the same text as in the input. See `table.Writer`.
    """
    numbers = [pa.field(f"molkd_{index}", pa.float32()) for index in range(result.encoding.dim)]
    texts = dict.fromkeys(result.kept, KeptColumn("text"))
    schema = pa.schema([*text_fields(result.column), *kept_fields(texts), *numbers])
    with path.open("wb") as stream, pc.CSVWriter(stream, schema) as writer:
        for chunk in result.chunks:
            writer.write_batch(_batch(chunk, schema, texts))


def _batch(chunk: EmbeddedChunk, schema: Any, kept: Mapping[str, KeptColumn]) -> Any:
    missing = ~chunk.valid
    columns = np.ascontiguousarray(chunk.values.T, dtype=np.float32)
    numbers = [pa.array(column, pa.float32(), mask=missing) for column in columns]
    arrays = [*text_arrays(chunk), *kept_arrays(chunk, kept), *numbers]
    return pa.record_batch(arrays, schema=schema)
