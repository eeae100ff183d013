"""Every format brings back what was written, streams, and does not know the time."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from molkd.errors import ConfigError, UnknownNameError
from molkd.formats import WRITERS
from molkd.formats.encodings import Dtype, Encoding
from molkd.formats.writers import format_of
from molkd.formats.writers.npy import ids_path
from molkd.formats.writers.table import EmbeddedChunk, Result

IDS = ["a", 'b, "c"', "d", "ü"]
SMILES = ["CCO", "xx", None, "C" * 300]
ERRORS = [None, "SMILES syntax error", "a missing value", None]
VALUES = np.array([[0.1, 1 / 3], [np.nan] * 2, [np.nan] * 2, [-1e-7, 12345.678]], np.float32)
VALID = [True, False, False, True]
FACTS = {"molkd.model": "my/model", "molkd.settings": '{"dtype": "float32"}'}


class Chunks:
    """Rows in two chunks, as often as they are iterated."""

    def __init__(self, dtype: Dtype) -> None:
        self.dtype = dtype

    def __iter__(self) -> Iterator[EmbeddedChunk]:
        for rows in (slice(0, 3), slice(3, 4)):
            values = VALUES[rows].astype(self.dtype)
            yield EmbeddedChunk(IDS[rows], SMILES[rows], ERRORS[rows], values)


def _write(path: Path, kind: str, dtype: Dtype = "float32") -> Path:
    result = Result(
        column="smiles",
        rows=4,
        encoding=Encoding(dtype, 2),
        metadata=FACTS,
        chunks=Chunks(dtype),
    )
    WRITERS[kind](path, result, final=path)
    return path


def _expected(dtype: Dtype) -> np.ndarray[Any, Any]:
    return VALUES.astype(dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_parquet(tmp_path: Path, dtype: Dtype) -> None:
    path = _write(tmp_path / "out.parquet", "parquet", dtype)
    table = pq.read_table(path)
    assert table["id"].to_pylist() == IDS
    assert table["smiles"].to_pylist() == SMILES
    assert table["valid"].to_pylist() == VALID
    assert table["error"].to_pylist() == ERRORS
    rows = table["embedding"].to_pylist()
    assert [row is not None for row in rows] == VALID
    np.testing.assert_array_equal(np.array(rows[0]), _expected(dtype)[0].astype(float))
    kind = {"float16": "halffloat", "float32": "float"}[dtype]
    assert str(table.schema.field("embedding").type) == (
        f"fixed_size_list<element: {kind} not null>[2]"
    )
    assert {key.decode(): value.decode() for key, value in table.schema.metadata.items()} == FACTS
    assert pq.ParquetFile(path).num_row_groups == 2


def test_parquet_is_read_by_pandas_and_polars(tmp_path: Path) -> None:
    path = _write(tmp_path / "out.parquet", "parquet")
    frame = pd.read_parquet(path)
    np.testing.assert_array_equal(np.stack(frame[frame["valid"]]["embedding"]), VALUES[VALID])
    lazy = pl.read_parquet(path)
    np.testing.assert_array_equal(lazy["embedding"].drop_nulls().to_numpy(), VALUES[VALID])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_npz_needs_no_pickle(tmp_path: Path, dtype: Dtype) -> None:
    arrays = np.load(_write(tmp_path / "out.npz", "npz", dtype), allow_pickle=False)
    np.testing.assert_array_equal(arrays["X"], _expected(dtype))
    assert arrays["X"].dtype == dtype
    assert arrays["ids"].tolist() == IDS
    assert arrays["smiles"].tolist() == ["CCO", "xx", "", "C" * 300]
    assert arrays["error"].tolist() == [text or "" for text in ERRORS]
    assert arrays["valid"].tolist() == VALID
    assert json.loads(str(arrays["metadata"])) == FACTS


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_npy_can_be_mapped_and_has_a_table(tmp_path: Path, dtype: Dtype) -> None:
    path = _write(tmp_path / "out.npy", "npy", dtype)
    matrix = np.load(path, mmap_mode="r")
    np.testing.assert_array_equal(matrix, _expected(dtype))
    assert matrix.dtype == dtype
    table = pq.read_table(ids_path(path))
    assert table.column_names == ["id", "smiles", "valid", "error"]
    assert table["id"].to_pylist() == IDS
    assert table["valid"].to_pylist() == VALID
    assert table.schema.metadata[b"molkd.model"] == b"my/model"


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_csv_brings_back_the_same_numbers(tmp_path: Path, dtype: Dtype) -> None:
    path = _write(tmp_path / "out.csv", "csv", dtype)
    frame = pd.read_csv(path, dtype={"molkd_0": "f4", "molkd_1": "f4"})
    assert list(frame.columns) == ["id", "smiles", "valid", "error", "molkd_0", "molkd_1"]
    np.testing.assert_array_equal(frame[["molkd_0", "molkd_1"]], _expected(dtype))
    assert frame["id"].tolist() == IDS
    assert frame["valid"].tolist() == VALID
    assert ",,\n" in path.read_text()


@pytest.mark.parametrize("kind", list(WRITERS))
def test_the_same_result_gives_the_same_bytes(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _write(tmp_path / "first", kind).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert _write(tmp_path / "second", kind).read_bytes() == first


@pytest.mark.parametrize("kind", list(WRITERS))
def test_a_result_without_rows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"out.{kind}"
    result = Result(
        column="smiles", rows=0, encoding=Encoding("float32", 3), metadata=FACTS, chunks=[]
    )
    WRITERS[kind](path, result, final=path)
    if kind == "csv":
        assert pd.read_csv(io.BytesIO(path.read_bytes())).shape == (0, 7)
    elif kind == "parquet":
        assert pq.read_table(path).num_rows == 0
    else:
        loaded = np.load(path)
        assert (loaded if kind == "npy" else loaded["X"]).shape == (0, 3)


def test_formats_by_name_and_suffix() -> None:
    assert format_of(Path("a.NPZ")) == "npz"
    assert format_of(Path("a.npz"), "csv") == "csv"
    assert format_of(Path("a")) == "parquet"
    with pytest.raises(ConfigError, match=r"suffix of a\.parket names no format\. Did you mean"):
        format_of(Path("a.parket"))
    with pytest.raises(UnknownNameError, match=r"unknown output format 'hdf5'\. Known: parquet"):
        format_of(Path("a.csv"), "hdf5")
