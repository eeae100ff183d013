"""Parquet tables of items: columns of every type, nulls, row groups, compressed, damaged."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz import mutations
from tests.fuzz.cases import Recipe, Target
from tests.fuzz.item_files import compressed, output
from tests.fuzz.rows_of_files import Row, check, drawn

_ITEMS = (pa.string(), pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))
_OTHER_ITEMS = (
    pa.binary(),
    pa.int64(),
    pa.float64(),
    pa.bool_(),
    pa.null(),
    pa.list_(pa.string()),
    pa.struct([("bytes", pa.binary())]),
    pa.dictionary(pa.int8(), pa.int64()),
    pa.timestamp("ns"),
    pa.decimal128(10, 2),
)
_IDS = (
    "string",
    "string",
    "large_string",
    "dictionary",
    "binary",
    "int64",
    "float64",
    "date",
    "list",
)


def draw(random: Random) -> Recipe:
    rows = [row for row in drawn(random) if row.line is None]
    if random.random() < 0.1:  # what is no UTF-8 may become anything
        rows = [row._replace(exact=False) for row in rows]
    known = random.random() < 0.6
    kind = random.choice(_ITEMS if known else _OTHER_ITEMS)
    names = random.choice(("string", "string", "string", random.choice(_IDS)))
    try:
        table = _table(rows, kind, names, random)
        content = _written(table, random)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        known, content = False, b"PAR1"
    if not known or names != "string":
        rows = [row._replace(id=None) for row in rows]
    if random.random() < 0.3:
        known, content = False, mutations.data(content, random)
    suffix, content, whole = compressed("parquet", content, random)
    recipe: Recipe = {
        "name": f"in.{suffix}",
        "column": "smiles",
        "id_column": "id",
        "chunk": random.choice((1, 3, 16, 1000)),
        "data": mutations.packed(content),
    }
    if known and whole:
        recipe["rows"] = [(row.id, row.item, row.exact) for row in rows]
    return recipe | output(random)


def _table(rows: list[Row], kind: Any, names: str, random: Random) -> Any:
    items = [row.item for row in rows]
    column = _column(items, kind)
    if kind == pa.string() and not any(row.exact for row in rows):
        column = _not_utf8(items)
    columns = {"smiles": column, "id": _ids(rows, names), "x": pa.array(range(len(rows)))}
    order = list(columns)
    random.shuffle(order)
    if random.random() < 0.2:
        columns["nested"] = pa.array([{"a": [1, 2]}] * len(rows))
        order.append("nested")
    return pa.table([columns[name] for name in order], names=order)


def _column(items: list[str | None], kind: Any) -> Any:
    if kind == pa.null():
        return pa.nulls(len(items))
    if pa.types.is_struct(kind):
        return pa.array([{"bytes": (one or "").encode()} for one in items], kind)
    if pa.types.is_list(kind):
        return pa.array([[one] for one in items], kind)
    if kind in {pa.string(), pa.large_string(), pa.binary()}:
        return pa.array(items, pa.string()).cast(kind)
    if pa.types.is_dictionary(kind):
        return _column(items, kind.value_type).dictionary_encode()
    return pa.array([None if one is None else len(one) for one in items], pa.int64()).cast(kind)


def _not_utf8(items: list[str | None]) -> Any:
    """A column that calls itself text and is Latin-1."""
    raw = pa.array([None if one is None else one.encode() + b"\xe9" for one in items], pa.binary())
    return pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())


def _ids(rows: list[Row], names: str) -> Any:
    texts = [row.id for row in rows]
    numbers = pa.array([None if place % 5 == 4 else place * 10**15 for place in range(len(rows))])
    made: dict[str, Callable[[], Any]] = {
        "binary": lambda: pa.array([(text or "").encode() + b"\xff" for text in texts]),
        "int64": lambda: numbers,
        "float64": lambda: numbers.cast(pa.float64(), safe=False),
        "date": lambda: numbers.cast(pa.timestamp("us")),
        "list": lambda: pa.array([[text] for text in texts]),
        "dictionary": lambda: pa.array(texts).dictionary_encode(),
        "large_string": lambda: pa.array(texts, pa.large_string()),
    }
    return made.get(names, lambda: pa.array(texts))()


def _written(table: Any, random: Random) -> bytes:
    sink = io.BytesIO()
    packing = random.choice(("snappy", "zstd", "gzip", "none", "brotli", "lz4"))
    options: dict[str, Any] = {
        "row_group_size": random.choice((1, 7, 1000)),
        "use_dictionary": random.random() < 0.5,
        "data_page_version": random.choice(("1.0", "2.0")),
        "store_schema": random.random() < 0.8,
    }
    pq.write_table(table, sink, compression=packing, **options)
    return sink.getvalue()


PARQUET = Target(draw, check)
