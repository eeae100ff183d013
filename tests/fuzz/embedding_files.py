"""Files of embeddings: good ones by our writers, then bytes, arrays and columns that are not."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from molkd.formats import WRITERS, embeddings
from molkd.formats.encodings import Encoding
from molkd.formats.writers.table import EmbeddedChunk, Result
from molkd.items import MODALITIES
from tests.fuzz import mutations
from tests.fuzz.cases import Recipe, Seen, Target, require
from tests.fuzz.worker import scratch

_DIM, _ROWS = 3, 4
_IDS = ".ids.parquet"


def draw(random: Random) -> Recipe:
    form = random.choice(("parquet", "npz", "npy", "csv"))
    files = dict(_good(form)) if random.random() < 0.5 else _odd(form, random)
    good = random.random() < 0.05 and files == _good(form)
    if not good:
        for name in files:
            if random.random() < 0.5:
                files[name] = _mutated(files[name], random)
    texts = {name: mutations.packed(content) for name, content in files.items()}
    return {"files": texts, "path": f"e.{form}", "good": good}


def check(recipe: Recipe, seen: Seen) -> None:
    for name, content in recipe["files"].items():
        (scratch() / name).write_bytes(mutations.unpacked(content))
    try:
        stored = embeddings.read(scratch() / recipe["path"])
    finally:
        for name in recipe["files"]:
            (scratch() / name).unlink()
    count = len(stored.values)
    require(stored.values.ndim == 2 and stored.values.size, "no matrix")
    require(stored.values.dtype == np.float32, "values of another type")
    require(len(stored.ids) == len(stored.items) == count, "columns of different lengths")
    require(stored.modality in MODALITIES, "no modality")
    for column in (stored.ids, stored.items):
        require(isinstance(column, list) and all(isinstance(one, str) for one in column), "texts")
    if recipe["good"]:
        require(stored.ids == [f"row{row}" for row in range(_ROWS)], "other identifiers")
    seen.count(count, int(np.isnan(stored.values).any(axis=1).sum()))


def _mutated(content: bytes, random: Random) -> bytes:
    """Changes bytes, of an archive sometimes those within its members."""
    if content[:2] == b"PK" and random.random() < 0.6:
        arrays = _members(content)
        name = random.choice(list(arrays))
        arrays[name] = _header(arrays[name], random)
        return _archive(arrays)
    if content[:6] == b"\x93NUMPY" and random.random() < 0.6:
        return _header(content, random)
    return mutations.data(content, random)


_HEADER_EDITS = (
    ("<f4", "<f8"),
    ("<f4", "|O"),
    ("<f4", "<U9"),
    ("<f4", "<M8[s]"),
    ("<f4", "<c8"),
    ("<f4", "|V4"),
    ("'<f4'", "[('a', '<f4')]"),
    ("False", "True"),
    ("(4, 3)", "(12,)"),
    ("(4, 3)", "()"),
    ("(4, 3)", "(4, 3, 1)"),
    ("(4, 3)", "(4, 3000000000000)"),
    ("(4, 3)", "(0, 3)"),
    ("(4, 3)", "(-4, 3)"),
    ("(4, 3)", "(4, 99999999999999999999999)"),
    ("(4, 3)", "((((((((((4"),
    ("<U", "<U999999999"),
    ("<U", "|S"),
    ("<U", ">U"),
    ("<U", "|O"),
    ("descr", "desc"),
    ("{", "["),
)


def _header(content: bytes, random: Random) -> bytes:
    """Changes what the header of an array says, and its length to fit."""
    if content[:6] != b"\x93NUMPY" or random.random() < 0.2:
        return mutations.data(content, random)
    size = int.from_bytes(content[8:10], "little")
    text = content[10 : 10 + size].decode("latin-1").rstrip()
    old, new = random.choice(_HEADER_EDITS)
    text = text.replace(old, new).encode("latin-1") + b"\n"
    return content[:8] + len(text).to_bytes(2, "little") + text + content[10 + size :]


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _archive(members: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


@functools.cache
def _good(form: str) -> Mapping[str, bytes]:
    """The files of a good result, by name."""
    values = np.arange(_ROWS * _DIM, dtype=np.float32).reshape(_ROWS, _DIM)
    values[2] = np.nan
    chunk = EmbeddedChunk(
        [f"row{row}" for row in range(_ROWS)],
        ["CCO", "CCN", None, "CCC"],
        [None, None, "no SMILES", None],
        values,
    )
    facts = {"molkd.model": "fake"}
    result = Result(
        rows=_ROWS,
        column="smiles",
        encoding=Encoding("float32", _DIM),
        metadata=facts,
        chunks=[chunk],
    )
    path = scratch() / f"good.{form}"
    WRITERS[form](path, result, final=path)
    files = {f"e.{form}": path.read_bytes()}
    beside = path.with_name(path.name + _IDS)
    return files | ({f"e.{form}{_IDS}": beside.read_bytes()} if beside.exists() else {})


def _odd(form: str, random: Random) -> dict[str, bytes]:
    """A file whose columns or arrays may be of any type and number."""
    rows = random.choice((0, 1, 4, 4))
    if form == "npz":
        arrays = {name: _array(rows, random) for name in ("X", "ids", "smiles", "valid", "text")}
        chosen = {name: array for name, array in arrays.items() if random.random() < 0.8}
        sink = io.BytesIO()
        np.savez(sink, **chosen)  # pyright: ignore[reportArgumentType]
        return {"e.npz": sink.getvalue()}
    if form == "npy":
        sink = io.BytesIO()
        np.save(sink, _array(rows, random), allow_pickle=False)
        return {"e.npy": sink.getvalue(), f"e.npy{_IDS}": _parquet(_columns(rows, random))}
    table = _columns(rows, random)
    if form == "parquet":
        return {"e.parquet": _parquet(table)}
    sink = io.BytesIO()
    flat = [place for place, one in enumerate(table.schema) if not pa.types.is_nested(one.type)]
    try:
        pc.write_csv(table.select(flat), sink)
    except pa.ArrowException:
        return dict(_good("csv"))
    return {"e.csv": sink.getvalue()}


def _array(rows: int, random: Random) -> Any:
    values = np.arange(rows * _DIM).reshape(rows, _DIM)
    kind = random.choice(("f4", "f4", "f8", "i8", "?", "U5", "S5", "c8", "M8[s]", "f2"))
    array = values.astype(kind)
    if not rows:
        return array
    return random.choice((array, array, array[:, 0], array.T, array[:1], array[..., None]))


def _columns(rows: int, random: Random) -> Any:
    texts = [f"C{'C' * row}" for row in range(rows)]
    numbers = [float(row) if row != 2 else None for row in range(rows)]
    wide = [[1.0, 2.0] for _ in range(rows)]
    kinds = {
        "text": pa.array(texts),
        "number": pa.array(numbers, pa.float64()),
        "integer": pa.array(range(rows)),
        "lists": pa.array(wide, pa.list_(pa.float32())),
        "fixed": pa.array(wide, pa.list_(pa.float32(), 2)),
        "ragged": pa.array([[1.0] * (row + 1) for row in range(rows)], pa.list_(pa.float64())),
        "inner nulls": pa.array([[None, 1.0] for _ in range(rows)], pa.list_(pa.float32())),
        "list of texts": pa.array([["a"] for _ in range(rows)], pa.list_(pa.string())),
        "lists of lists": pa.array([[[1.0]] for _ in range(rows)]),
        "nulls": pa.nulls(rows),
        "all null lists": pa.nulls(rows, pa.list_(pa.float32())),
        "binary": pa.array([b"\xff" for _ in range(rows)], pa.binary()),
        "dictionary": pa.array(texts).dictionary_encode(),
        "struct": pa.array([{"a": 1} for _ in range(rows)], pa.struct([("a", pa.int8())])),
        "halves": pa.array(np.ones(rows, np.float16)),
        "times": pa.array([0] * rows, pa.timestamp("s")),
        "truth": pa.array([True] * rows, pa.bool_()),
        "decimals": pa.array(range(rows)).cast(pa.decimal128(20, 1)),
    }
    usual = {"id": "text", "smiles": "text", "embedding": "lists", "x": "number", "valid": "truth"}
    columns: list[Any] = []
    names: list[str] = []
    for name, kind in usual.items():
        if random.random() < 0.85:
            drawn = random.choice(list(kinds)) if random.random() < 0.35 else kind
            names.append(name if random.random() < 0.95 else random.choice(("text", "", "id")))
            columns.append(kinds[drawn])
    return pa.table(columns, names=names)


def _parquet(table: Any) -> bytes:
    sink = io.BytesIO()
    try:
        pq.write_table(table, sink)
    except pa.ArrowException:
        return b"PAR1"
    return sink.getvalue()


EMBEDDINGS = Target(draw, check)
