"""csv: one column per dimension, for spreadsheets and small results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from molkd.formats.writers.parquet import text_arrays, text_fields
from molkd.formats.writers.table import EmbeddedChunk, Result


def write_csv(path: Path, result: Result, /, *, final: Path) -> None:  # noqa: ARG001
    """Writes columns id, the items', valid, error, molkd_0, molkd_1, ...; see `table.Writer`.

    Numbers have as many digits as bring back the same value; rows without an embedding are empty.
    """
    numbers = [pa.field(f"molkd_{index}", pa.float32()) for index in range(result.dim)]
    schema = pa.schema([*text_fields(result.column), *numbers])
    with path.open("wb") as stream, pc.CSVWriter(stream, schema) as writer:
        for chunk in result.chunks:
            writer.write_batch(_batch(chunk, schema))


def _batch(chunk: EmbeddedChunk, schema: Any) -> Any:
    missing = ~chunk.valid
    columns = np.ascontiguousarray(chunk.values.T, dtype=np.float32)
    numbers = [pa.array(column, pa.float32(), mask=missing) for column in columns]
    return pa.record_batch([*text_arrays(chunk), *numbers], schema=schema)
