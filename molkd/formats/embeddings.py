"""Reading files of embeddings back: those of `molkd embed`, and tables of the same form."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from molkd.errors import CorruptFileError, InputError
from molkd.formats import arrow, csv_tables
from molkd.formats.csv_tables import DIMENSION
from molkd.formats.encodings import Encoding
from molkd.formats.values import identifier_of
from molkd.formats.writers.npy import ids_path
from molkd.items import MODALITIES
from molkd.runtime.arrays import Array, read_array, read_arrays
from molkd.types import Matrix

MODALITY_OF = {MODALITIES[name].style.column: name for name in MODALITIES}
"""Column of the items -> their modality."""

_NO_NUMBERS = ("id", *MODALITY_OF, "valid", "error")
_DAMAGE = (OSError, ValueError, KeyError, RecursionError, CorruptFileError, pa.ArrowException)
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)


@dataclass(frozen=True, slots=True)
class StoredEmbeddings:
    """The rows of a file of embeddings.

    Attributes:
        modality: what the items are, a name in `molkd.items.MODALITIES`.
        ids: one identifier per row, empty where it has none; the row number where no row has one.
        items: one text or path per row; empty where there was none.
        values: shape (n, d); NaN in rows without an embedding. What is stored in fewer bits comes
            back as `Encoding.decode` says.
        reasons: row -> why it has none, as far as the file says.
        columns: name -> other column of the file, an Arrow array of n values.
        facts: what the file says of its making: "model", "model_digest", ...; none in CSV.
    """

    modality: str
    ids: list[str]
    items: list[str]
    values: Matrix
    reasons: Mapping[int, str] = field(default_factory=dict[int, str])
    columns: Mapping[str, Any] = field(default_factory=dict[str, Any])
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


def read(path: Path) -> StoredEmbeddings:
    """Reads a file that `molkd embed` wrote, in any of its formats.

    Parquet and CSV may also come from elsewhere: a column of
    items named as `molkd embed` names it, and a column of lists called "embedding", or numbers in
    columns called molkd_0, molkd_1, ..., or else numbers in all other columns.

    Raises:
        InputError: it cannot be read, or holds no items or no numbers; names the file.
    """
    readers = {".parquet": _parquet, ".npz": _npz, ".npy": _npy, ".csv": _csv}
    if path.suffix not in readers:
        raise InputError(
            f"{path}: embeddings are read from {', '.join(readers)}; "
            "molkd embed --format parquet writes one"
        )
    with explained(path):
        stored = readers[path.suffix](path)
    if stored.values.ndim != 2 or not stored.values.size:
        raise InputError(f"{path} holds no embeddings but numbers of shape {stored.values.shape}")
    if not len(stored.ids) == len(stored.items) == len(stored.values):
        raise InputError(
            f"{path} holds {len(stored.items)} {stored.modality}, {len(stored.ids)} identifiers "
            f"and {len(stored.values)} embeddings"
        )
    return stored


def read_together(paths: Sequence[Path]) -> StoredEmbeddings:
    """Reads several Parquet files of embeddings that count as one, in the order given.

    Raises:
        InputError: one cannot be read, or has other columns; names it.
    """
    tables: list[Any] = []
    for path in paths:
        with explained(path):
            tables.append(pq.read_table(path))
        own, first = (
            [f"{f.name} ({f.type})" for f in one.schema] for one in (tables[-1], tables[0])
        )
        if own != first:
            differences = sorted({*own} ^ {*first}) or ["the same in another order"]
            raise InputError(
                f"{path} has other columns than {paths[0]}: {', '.join(differences)}; embed all "
                "molecules with the same options"
            )
    with explained(paths[0]):
        return _of_table(pa.concat_tables(tables))


@contextlib.contextmanager
def explained(path: Path) -> Generator[None]:
    """Turns whatever reading a damaged file raises into an error that names it.

    Raises:
        InputError: it cannot be read.
    """
    try:
        yield
    except _DAMAGE as error:
        raise InputError(f"cannot read embeddings from {path}: {error}") from error


def column_names(path: Path) -> list[str]:
    """Returns the columns of a table, .parquet or .csv; none where it cannot be read."""
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        return csv_tables.names(path)
    except _DAMAGE:
        return []


def _parquet(path: Path) -> StoredEmbeddings:
    return _of_table(pq.read_table(path))


def _csv(path: Path) -> StoredEmbeddings:
    return _of_table(csv_tables.read(path, ("id", *MODALITY_OF), _NO_NUMBERS))


def _npz(path: Path) -> StoredEmbeddings:
    known = ("X", "ids", "error", "valid", "metadata", *MODALITY_OF)
    arrays = read_arrays(path, known)
    column = _item_column(list(arrays))
    if "X" not in arrays:
        raise ValueError("there is no array X")
    facts = facts_of(json.loads(str(arrays["metadata"])) if "metadata" in arrays else {})
    values = _decoded(arrays["X"], facts, arrays.get("valid"))
    items = _texts(arrays[column], column)
    ids = _texts(arrays["ids"], "ids") if "ids" in arrays else _numbers(len(items))
    reasons = _texts(arrays["error"], "error") if "error" in arrays else []
    kept = read_arrays(path) if "metadata" in arrays else {}  # others may hold anything
    return StoredEmbeddings(
        MODALITY_OF[column],
        ids,
        items,
        values,
        reasons={row: why for row, why in enumerate(reasons) if why},
        columns={name: pa.array(array) for name, array in kept.items() if name not in known},
        facts=facts,
    )


def _npy(path: Path) -> StoredEmbeddings:
    table = pq.read_table(ids_path(path))
    valid = table["valid"].to_numpy() if "valid" in table.column_names else None
    return with_rows(table, _decoded(read_array(path), facts_of_schema(table.schema), valid), ())


def _decoded(array: Array, facts: Mapping[str, str], valid: Array | None) -> Matrix:
    encoding = Encoding.of_facts(facts)
    return _real(array) if encoding is None else encoding.decode(array, valid)


def _real(array: Array) -> Matrix:
    if array.dtype.kind not in "fiub":
        raise ValueError(f"values of type {array.dtype}, not numbers")
    return array.astype(np.float32)


def _texts(array: Array, name: str) -> list[str]:
    if array.ndim != 1 or array.dtype.kind not in "Uiu":
        raise ValueError(f"{name} has shape {array.shape} of {array.dtype}, not a text per row")
    return [str(text) for text in array.tolist()]


def _of_table(table: Any) -> StoredEmbeddings:
    if "embedding" in table.column_names:
        encoding = Encoding.of_facts(facts_of_schema(table.schema))
        values = matrix_of(table["embedding"].combine_chunks(), encoding)
        return with_rows(table, values, ("embedding",))
    own = [name for name in table.column_names if DIMENSION.fullmatch(name)]
    names = own or [name for name in table.column_names if name not in _NO_NUMBERS]
    columns = [table[name].cast(pa.float32()).to_numpy(zero_copy_only=False) for name in names]
    values = np.array(columns, dtype=np.float32).reshape(-1, len(table)).T
    return with_rows(table, values, names)


def with_rows(table: Any, values: Matrix, numbers: Sequence[str]) -> StoredEmbeddings:
    """The rows of a table; `numbers` are the columns that the values were made of."""
    column = _item_column(table.column_names)
    kind = table.schema.field(column).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(fits(kind) for fits in _TEXTS):
        raise ValueError(f"column {column!r} holds {kind}, not texts")
    items = [text or "" for text in _strings(table[column])]
    ids = _numbers(len(items))
    if "id" in table.column_names:
        ids = [name or "" for name in arrow.texts(table["id"].combine_chunks(), identifier_of)]
    reasons = _strings(table["error"]) if "error" in table.column_names else []
    return StoredEmbeddings(
        MODALITY_OF[column],
        ids,
        items,
        values,
        reasons={row: why for row, why in enumerate(reasons) if why},
        columns={
            name: table[name]
            for name in table.column_names
            if name not in numbers and name not in _NO_NUMBERS
        },
        facts=facts_of_schema(table.schema),
    )


def facts_of_schema(schema: Any) -> dict[str, str]:
    """See `facts_of`; of an Arrow schema."""
    raw: dict[bytes, bytes] = schema.metadata or {}
    return facts_of({key.decode(): value.decode() for key, value in raw.items()})


def facts_of(metadata: object) -> dict[str, str]:
    """What molkd has written of a file's making."""
    if not isinstance(metadata, dict):
        raise ValueError("its metadata are no names and values")  # noqa: TRY004  # as other damage
    return {
        key.removeprefix("molkd."): str(value)
        for key, value in cast("dict[str, object]", metadata).items()
        if key.startswith("molkd.")
    }


def _strings(column: Any) -> list[str | None]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()).to_pylist()


def matrix_of(column: Any, encoding: Encoding | None = None) -> Matrix:
    """A column of lists, all equally long, as rows; NaN where there is none.

    Args:
        column: of an Arrow table.
        encoding: how the numbers are stored, where they are not what they are.
    """
    if encoding is not None and encoding.dtype == "binary":
        return _unpacked(column, encoding)
    if not any(fits(column.type) for fits in _LISTS):
        raise ValueError(f"column 'embedding' holds {column.type}, not lists of numbers")
    present = column.is_valid().to_numpy(zero_copy_only=False)
    widths = np.unique(column.drop_null().value_lengths().to_numpy(zero_copy_only=False))
    if len(widths) > 1:
        raise ValueError(f"embeddings of different widths, {widths[0]} and {widths[-1]}")
    width = int(widths[0]) if len(widths) else getattr(column.type, "list_size", 0)
    values = np.full((len(column), width), np.nan, dtype=np.float32)
    if width:
        numbers = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
        values[present] = _real(numbers) if encoding is None else encoding.decode(numbers)
    return values


def _unpacked(column: Any, encoding: Encoding) -> Matrix:
    """A column of bytes, as other programs may have copied it with another type."""
    if not arrow.is_bytes(column.type):
        raise ValueError(f"column 'embedding' holds {column.type}, not bytes")
    known = column.drop_null().cast(pa.binary()).cast(pa.binary(encoding.width))
    flat = np.frombuffer(b"".join(known.to_pylist()), dtype=np.uint8)
    values = np.full((len(column), encoding.dim), np.nan, dtype=np.float32)
    present = column.is_valid().to_numpy(zero_copy_only=False)
    values[present] = encoding.decode(flat.reshape(-1, encoding.width))
    return values


def _numbers(count: int) -> list[str]:
    return [str(row) for row in range(count)]


def _item_column(names: Sequence[str]) -> str:
    columns = [name for name in MODALITY_OF if name in names]
    if len(columns) != 1:
        expected = " or ".join(map(repr, MODALITY_OF))
        what = "several columns of items" if columns else f"no column {expected}"
        raise ValueError(f"{what} among {', '.join(names[:20])}")
    return columns[0]
