"""npz: arrays X, ids, items, valid, error and metadata, readable without pickle.

The array of items is called what their column is in a table: smiles, text, image.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.formats.writers.npy import write_header
from molkd.formats.writers.table import Result, Table

_EPOCH = (1980, 1, 1, 0, 0, 0)


def _texts(column: str) -> dict[str, Callable[[Table], list[str]]]:
    """Array -> its texts, from a table."""
    return {
        "ids": lambda table: list(table.ids),
        column: lambda table: [text or "" for text in table.items],
        "error": lambda table: [text or "" for text in table.errors],
    }


def write_npz(path: Path, result: Result, /, *, final: Path) -> None:  # noqa: ARG001
    """Writes the arrays one after the other; see `tables.Writer`.

    X has NaN in rows without an embedding. Texts are as wide as the longest one, deflated on disk;
    where some items are thousands of characters long, Parquet is easier to read back.
    """
    with path.open("wb") as stream, zipfile.ZipFile(stream, "w") as archive:
        dtype = np.dtype(result.dtype)
        blocks = (table.values for table in result.tables)
        _add(archive, "X", (result.rows, result.dim), dtype, blocks)
        valid = (table.valid for table in result.tables)
        _add(archive, "valid", (result.rows,), np.dtype(np.bool_), valid)
        for name, texts in _texts(result.column).items():
            widths = (len(text) for table in result.tables for text in texts(table))
            kind = np.dtype(f"<U{max(widths, default=1) or 1}")
            columns = (np.array(texts(table), dtype=kind) for table in result.tables)
            _add(archive, name, (result.rows,), kind, columns)
        facts = np.array(json.dumps(dict(result.metadata), ensure_ascii=False))
        _add(archive, "metadata", (), facts.dtype, iter([facts]))


def _add(
    archive: zipfile.ZipFile,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    blocks: Iterator[npt.NDArray[Any]],
) -> None:
    """Adds an array that comes in blocks of rows."""
    member = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED if dtype.kind == "U" else zipfile.ZIP_STORED
    with archive.open(member, "w", force_zip64=True) as stream:
        write_header(stream, shape, dtype)  # pyright: ignore[reportArgumentType]
        for block in blocks:
            stream.write(block.tobytes())
