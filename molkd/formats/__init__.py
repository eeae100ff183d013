"""Files of items in, files of embeddings out: one format per file, all of them streamed.

Reading starts at `molkd.formats.readers.read`, writing at `molkd.formats.writers.format_of`. A new
format is a function in a file of its own, and a line here; it is imported when it is used.
`molkd.formats.embeddings.read` reads embeddings back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from molkd.runtime.registry import Registry

if TYPE_CHECKING:
    from molkd.formats.chunks import Row
    from molkd.formats.columns import Columns
    from molkd.formats.writers.table import Writer

READERS: Registry[Callable[[BinaryIO, str, Columns], Iterator[Row]]] = Registry(
    "input format",
    {
        "smi": "molkd.formats.readers.smi:read_smi",
        "csv": "molkd.formats.readers.delimited:read_csv",
        "tsv": "molkd.formats.readers.delimited:read_tsv",
        "parquet": "molkd.formats.readers.parquet:read_parquet",
        "sdf": "molkd.formats.readers.sdf:read_sdf",
        "txt": "molkd.formats.readers.txt:read_txt",
        "jsonl": "molkd.formats.readers.json_lines:read_json_lines",
    },
)
"""From a decompressed stream, its name for messages and the choice of columns to rows."""

WRITERS: Registry[Writer] = Registry(
    "output format",
    {
        "parquet": "molkd.formats.writers.parquet:write_parquet",
        "npz": "molkd.formats.writers.npz:write_npz",
        "npy": "molkd.formats.writers.npy:write_npy",
        "csv": "molkd.formats.writers.csv:write_csv",
    },
)
