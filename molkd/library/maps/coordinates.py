"""Files that a map is drawn from again: a table of places, a list of identifiers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from molkd.errors import InputError
from molkd.library.maps.layout import Layout
from molkd.library.table import Library


def read(path: str | Path, library: Library) -> Layout:
    """Reads the places of a library's molecules: the table that `Map.save` writes.

    Args:
        path: .csv or .parquet with the columns id, x and y, one row per row of the library.
        library: whose places they are.

    Raises:
        InputError: it cannot be read, or belongs to another library; names what differs.
    """
    path = Path(path)
    table = _table(path)
    lacking = [name for name in ("id", "x", "y") if name not in table.column_names]
    if lacking:
        raise InputError(f"{path} has no column {lacking[0]!r}; expected id, x and y")
    facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    made_for = facts.get("molkd.library", "")
    if made_for and made_for != library.digest:
        raise InputError(
            f"{path} holds places of the library {made_for[:12]}, but this one is "
            f"{library.digest[:12]}: compute them anew"
        )
    if len(table) != len(library):
        raise InputError(f"{path} has {len(table)} rows, but the library {len(library)}")
    ids = table["id"].cast(pa.string()).to_pylist()
    for row, (found, expected) in enumerate(zip(ids, library.ids, strict=True)):
        if (found or "") != expected:
            raise InputError(f"{path}, row {row}: id {found!r}, but {expected!r} in the library")
    places = np.stack([_numbers(table[name], path) for name in ("x", "y")], axis=1)
    if not np.isfinite(places).all(axis=1).any():
        raise InputError(f"{path}: no row has a place")
    return Layout(places, facts.get("molkd.layout", f"places from {path.name}"))


def identifiers(path: str | Path) -> list[str]:
    """Reads identifiers: one a line, or the column "id" of a .csv or .parquet.

    Raises:
        InputError: it cannot be read or holds none.
    """
    path = Path(path)
    if path.suffix in {".csv", ".parquet"}:
        table = _table(path)
        if "id" not in table.column_names:
            raise InputError(f"{path} has no column 'id'; columns: {', '.join(table.column_names)}")
        found = [name for name in table["id"].cast(pa.string()).to_pylist() if name]
    else:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {path}: {error}") from error
        found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise InputError(f"{path} holds no identifiers: one a line, or a column 'id'")
    return found


def _table(path: Path) -> Any:
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        if path.suffix == ".csv":
            convert = pc.ConvertOptions(column_types={"id": pa.string()})
            parse = pc.ParseOptions(newlines_in_values=True)
            return pc.read_csv(path, parse_options=parse, convert_options=convert)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    raise InputError(f"{path}: expected a table, .csv or .parquet")


def _numbers(column: Any, path: Path) -> Any:
    try:
        return column.cast(pa.float32()).to_numpy().astype(np.float32)
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"{path}: places are no numbers: {error}") from error
