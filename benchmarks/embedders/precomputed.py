"""Embeddings that were computed elsewhere, read from a file, as an embedder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from molkd.errors import InputError
from molkd.items import MODALITIES
from molkd.runtime import files
from molkd.types import Embeddings, Matrix

ITEMS = {m.style.column: m.name for m in MODALITIES.values() if not m.style.binary}
"""Column of a result of `molkd embed` that holds the items -> what they are."""

RESERVED = ("id", *ITEMS, "valid", "error")
"""Columns of such a result beside the embedding."""


Read = tuple[str, list[str], Matrix]
"""Column of items, items, and their embeddings."""


class Precomputed:
    """The embeddings of a file, by SMILES or text as written there.

    Reads what `molkd embed` writes as Parquet, CSV and npz, and any table with a column "smiles" or
    "text" and numbers in all other columns.

    Attributes:
        modality: "molecules" or "texts".
    """

    def __init__(self, path: str | Path) -> None:
        """Reads a file.

        Raises:
            InputError: it cannot be read, or holds no items or no numbers.
        """
        self.path = Path(path)
        column, items, self.values = _read(self.path)
        self.modality = ITEMS[column]
        if len(items) != len(self.values) or not self.values.size:
            raise InputError(
                f"{path}: {len(items)} {self.modality} and {self.values.shape} numbers"
            )
        self.digest = files.sha256_of(self.path)
        alive = np.flatnonzero(np.isfinite(self.values).all(axis=1)).tolist()
        self._rows = {items[row]: row for row in alive}

    def embed(self, items: Sequence[str], /) -> Embeddings:
        """Looks items up; those that the file lacks fail."""
        values = np.full((len(items), self.values.shape[1]), np.nan, dtype=np.float32)
        failures: dict[int, str] = {}
        for row, text in enumerate(items):
            place = self._rows.get(text)
            if place is None:
                failures[row] = f"{self.path.name} has no embedding of it"
            else:
                values[row] = self.values[place]
        return Embeddings(values, failures)


def _read(path: Path) -> Read:
    readers = {".parquet": _read_parquet, ".csv": _read_csv, ".npz": _read_npz}
    if path.suffix not in readers:
        raise InputError(
            f"{path}: embeddings are read from {', '.join(readers)}; "
            "molkd embed --format parquet writes one"
        )
    try:
        return readers[path.suffix](path)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise InputError(f"cannot read embeddings from {path}: {error}") from error


def _read_npz(path: Path) -> Read:
    with np.load(path, allow_pickle=False) as archive:
        column = _column_of_items(archive.files)
        return column, archive[column].tolist(), archive["X"].astype(np.float32)


def _read_parquet(path: Path) -> Read:
    return _columns(pq.read_table(path))


def _read_csv(path: Path) -> Read:
    return _columns(pyarrow.csv.read_csv(path))


def _column_of_items(names: Sequence[str]) -> str:
    columns = [name for name in ITEMS if name in names]
    if len(columns) != 1:
        what = (
            "several columns of items" if columns else f"no column {' or '.join(map(repr, ITEMS))}"
        )
        raise InputError(f"{what} among {', '.join(names[:20])}")
    return columns[0]


def _columns(table: Any) -> Read:
    column = _column_of_items(table.column_names)
    items = [text or "" for text in table[column].to_pylist()]
    if "embedding" in table.column_names:
        lists = table["embedding"].to_pylist()
        width = max((len(row) for row in lists if row is not None), default=0)
        missing = [np.nan] * width
        rows = [missing if row is None else row for row in lists]
        return column, items, np.array(rows, dtype=np.float32)
    names = [name for name in table.column_names if name not in RESERVED]
    columns = [table[name].cast(pa.float32()).to_numpy(zero_copy_only=False) for name in names]
    return column, items, cast("Matrix", np.stack(columns, axis=1))
