"""npz: arrays X, ids, items, valid, error, those kept, and metadata, readable without pickle.

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

from molkd.formats.writers.kept import array_of
from molkd.formats.writers.npy import write_header
from molkd.formats.writers.table import EmbeddedChunk, Result

_EPOCH = (1980, 1, 1, 0, 0, 0)


def _texts(column: str) -> dict[str, Callable[[EmbeddedChunk], list[str]]]:
    """Array -> what computes its texts from a chunk."""
    return {
        "ids": lambda chunk: [text or "" for text in chunk.ids],
        column: lambda chunk: [text or "" for text in chunk.items],
        "error": lambda chunk: [text or "" for text in chunk.errors],
    }


def write_npz(path: Path, result: Result, /, *, final: Path) -> None:  # noqa: ARG001
    """Writes the arrays one after the other; see `table.Writer`.

    X is blank in rows without an embedding: NaN, or 0 of integers. Texts are as wide as the longest
    one, deflated on disk; where some items are thousands of characters long, Parquet is easier to
    read back.
    """
    with path.open("wb") as stream, zipfile.ZipFile(stream, "w") as archive:
        blocks = (chunk.values for chunk in result.chunks)
        _add(archive, "X", (result.rows, result.encoding.width), result.encoding.stored, blocks)
        valid = (chunk.valid for chunk in result.chunks)
        _add(archive, "valid", (result.rows,), np.dtype(np.bool_), valid)
        for name, texts in _texts(result.column).items():
            widths = (len(text) for chunk in result.chunks for text in texts(chunk))
            kind = np.dtype(f"<U{max(widths, default=1) or 1}")
            columns = (np.array(texts(chunk), dtype=kind) for chunk in result.chunks)
            _add(archive, name, (result.rows,), kind, columns)
        for name, column in result.kept.items():
            kinds = {array_of(chunk, name, column).dtype for chunk in result.chunks}
            kind = np.result_type(*kinds) if kinds else np.dtype("<U1")
            arrays = (array_of(chunk, name, column).astype(kind) for chunk in result.chunks)
            _add(archive, name, (result.rows,), kind, arrays)
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
