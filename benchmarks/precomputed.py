"""Embeddings that were computed elsewhere, read from a file, as an embedder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from molkd import store
from molkd.errors import InputError
from molkd.types import Embedded, Matrix

RESERVED = ("id", "smiles", "valid", "error")
"""Columns of a result of `molkd embed` beside the embedding."""


class Precomputed:
    """The embeddings of a file, by SMILES as written there.

    Reads what `molkd embed` writes as Parquet, CSV and npz, and any table with a column "smiles"
    and numbers in all other columns.
    """

    def __init__(self, path: str | Path) -> None:
        """Reads a file.

        Raises:
            InputError: it cannot be read, or holds no SMILES or no numbers.
        """
        self.path = Path(path)
        smiles, self.values = _read(self.path)
        if len(smiles) != len(self.values) or not self.values.size:
            raise InputError(f"{path}: {len(smiles)} SMILES and {self.values.shape} numbers")
        self.digest = store.sha256_of(self.path)
        alive = np.flatnonzero(np.isfinite(self.values).all(axis=1)).tolist()
        self._rows = {smiles[row]: row for row in alive}

    def embed(self, items: Sequence[str], /) -> Embedded:
        """Looks molecules up; those that the file lacks fail."""
        values = np.full((len(items), self.values.shape[1]), np.nan, dtype=np.float32)
        failures: dict[int, str] = {}
        for row, text in enumerate(items):
            place = self._rows.get(text)
            if place is None:
                failures[row] = f"{self.path.name} has no embedding of it"
            else:
                values[row] = self.values[place]
        return Embedded(values, failures)


def _read(path: Path) -> tuple[list[str], Matrix]:
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


def _read_npz(path: Path) -> tuple[list[str], Matrix]:
    with np.load(path, allow_pickle=False) as archive:
        return archive["smiles"].tolist(), archive["X"].astype(np.float32)


def _read_parquet(path: Path) -> tuple[list[str], Matrix]:
    return _columns(pq.read_table(path))


def _read_csv(path: Path) -> tuple[list[str], Matrix]:
    return _columns(pyarrow.csv.read_csv(path))


def _columns(table: Any) -> tuple[list[str], Matrix]:
    if "smiles" not in table.column_names:
        raise InputError(f"no column 'smiles' among {', '.join(table.column_names[:20])}")
    smiles = [text or "" for text in table["smiles"].to_pylist()]
    if "embedding" in table.column_names:
        lists = table["embedding"].to_pylist()
        width = max((len(row) for row in lists if row is not None), default=0)
        missing = [np.nan] * width
        rows = [missing if row is None else row for row in lists]
        return smiles, np.array(rows, dtype=np.float32)
    names = [name for name in table.column_names if name not in RESERVED]
    columns = [table[name].cast(pa.float32()).to_numpy(zero_copy_only=False) for name in names]
    return smiles, cast("Matrix", np.stack(columns, axis=1))
