"""Columns that are carried along: text, until it is known that all of it is numbers."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.errors import ConfigError, InputError
from molkd.formats.columns import Columns
from molkd.formats.embeddings import read
from molkd.formats.encodings import Encoding
from molkd.formats.writers import WRITERS
from molkd.formats.writers.kept import columns_of
from molkd.formats.writers.npy import ids_path
from molkd.formats.writers.table import EmbeddedChunk, KeptColumn, Result
from molkd.items import TEXTS
from tests.formats.rows import file, rows_of

VALUES = np.ones((2, 3), np.float32)


def _chunk(**kept: Sequence[str | None]) -> EmbeddedChunk:
    return EmbeddedChunk(["a", "b"], ["C", "N"], [None, None], VALUES, kept=kept)


def _kind(*values: str | None) -> str:
    return columns_of([_chunk(x=values)])["x"].kind


# == Reading


def test_chosen_columns_and_all_others(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", "name,smiles,y,note\nm1,C,5.10,\nm2,bad,NA,x y\nm3,N\n")
    found = rows_of(path, Columns(keep=("y",)), rows=2)
    assert found.kept == {"y": ["5.10", "NA", None]}
    for every in ("all", "*"):
        found = rows_of(path, Columns(keep=(every,)))
        assert found.kept == {"y": ["5.10", "NA", None], "note": [None, "x y", None]}
    found = rows_of(path, Columns(id="note", keep=("y", "name")))
    assert list(found.kept) == ["y", "name"]
    assert rows_of(path).kept == {}


def test_the_digest_of_a_chunk_changes_with_what_is_kept(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", "smiles,y\nC,1\n")
    digests = {rows_of(path, Columns(keep=keep)).digest for keep in ((), ("y",))}
    file(tmp_path, "in.csv", "smiles,y\nC,2\n")
    digests |= {rows_of(path, Columns(keep=keep)).digest for keep in ((), ("y",))}
    assert len(digests) == 3


def test_values_of_parquet_keep_their_digits(tmp_path: Path) -> None:
    columns = {
        "smiles": ["C", "N"],
        "number": [1.0, 0.1],
        "single": pa.array([0.1, None], pa.float32()),
        "large": [2**63 - 1, 1],
        "day": [dt.date(2024, 2, 29), None],
        "list": [[1, 2], None],
        "flag": [True, None],
        "bytes": [b"a", b"\xff"],
    }
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    assert rows_of(tmp_path / "in.parquet", Columns(keep=("all",))).kept == {
        "number": ["1.0", "0.1"],
        "single": ["0.1", None],
        "large": ["9223372036854775807", "1"],
        "day": ["2024-02-29", None],
        "list": ["[1, 2]", None],
        "flag": ["true", None],
        "bytes": ["a", "ff"],
    }


def test_values_of_json(tmp_path: Path) -> None:
    lines = ['{"text": "a", "y": 1.5, "tags": ["x"], "id": 1}', "{cut", '{"text": "b", "new": 1}']
    path = file(tmp_path, "in.jsonl", "\n".join(lines))
    found = rows_of(path, Columns(style=TEXTS.style, keep=("all",)))
    assert found.kept == {"y": ["1.5", None, None], "tags": ['["x"]', None, None]}


def test_a_column_that_is_missing_or_twice_there(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", "smiles,pIC50,x,x\nC,1,2,3\n")
    with pytest.raises(InputError, match=r"no column 'pic50'\. Did you mean 'pIC50'"):
        rows_of(path, Columns(keep=("pic50",)))
    with pytest.raises(InputError, match="2 columns 'x'"):
        rows_of(path, Columns(keep=("all",)))


@pytest.mark.parametrize("name", ["id", "valid", "error", "embedding", "molkd_0", "text", "X"])
def test_names_of_the_outputs_own_columns_are_refused(tmp_path: Path, name: str) -> None:
    path = file(tmp_path, "in.csv", f"smiles,key,{name}\nC,a,1\n")
    with pytest.raises(ConfigError, match=rf"'{name}' cannot be kept.*: leave it out, or rename"):
        rows_of(path, Columns(id="key", keep=(name,)))
    assert rows_of(path, Columns(id="key", keep=("key",))).kept == {"key": ["a"]}


# == What a column holds


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("1", "-20"), "integer"),
        (("1", None), "integer"),
        (("1", "NA"), "integer"),
        (("9223372036854775807", "0"), "integer"),
        (("9223372036854775808", "0"), "text"),
        (("007", "1"), "text"),
        (("-0", "1"), "text"),
        (("1", "x"), "text"),
        (("NA", None), "text"),
        ((None, None), "text"),
        (("1.5", "2"), "number"),
        (("5.10", "1e-7"), "number"),
        ((".5", "5."), "number"),
        (("1.5", "nan"), "number"),
        (("1.5", "inf"), "text"),
        (("1.5", "1e999"), "text"),
        (("1.5", "e5"), "text"),
        (("1.5", ">10"), "text"),
        (("1.5", "1_000"), "text"),
        (("1.5", "\u0661"), "text"),
        (("00.5", "1"), "text"),
        (("1.5", "9007199254740993"), "text"),
        (("0.12345678901234567890", "1"), "text"),
        ((str(0.1 + 0.2), repr(1 / 3)), "number"),
    ],
)
def test_kinds(values: tuple[str | None, str | None], kind: str) -> None:
    assert _kind(*values) == kind


def test_columns_that_appear_late_have_gaps() -> None:
    found = columns_of([_chunk(a="12"), _chunk(b="34"), _chunk(a="56", b="78")])
    gaps = KeptColumn("integer", gaps=True)
    assert found == {"a": gaps, "b": gaps}


# == Writing


KEPT = {
    "code": ["007", "b"],
    "count": ["3", "4"],
    "gap": ["3", None],
    "y": ["5.10", "NA"],
    "note": ['say "x", y', None],
    'a "b", c': ["é\nü", ""],
}


def _write(path: Path, kept: dict[str, list[str | None]] = KEPT) -> Path:
    chunks = [_chunk(**kept), _chunk(code=["1", "a much longer one"])]
    result = Result(
        rows=4,
        column="smiles",
        encoding=Encoding("float32", 3),
        metadata={},
        chunks=chunks,
        kept=columns_of(chunks),
    )
    WRITERS[path.suffix[1:]](path, result, final=path)
    return path


@pytest.mark.parametrize("kind", list(WRITERS))
def test_kept_columns_are_no_dimensions(tmp_path: Path, kind: str) -> None:
    stored = read(_write(tmp_path / f"out.{kind}"))
    assert (stored.ids, stored.items) == (["a", "b"] * 2, ["C", "N"] * 2)
    np.testing.assert_array_equal(stored.values, np.ones((4, 3), np.float32))


@pytest.mark.parametrize("kind", ["parquet", "npy"])
def test_columns_of_parquet(tmp_path: Path, kind: str) -> None:
    path = _write(tmp_path / f"out.{kind}")
    table = pq.read_table(ids_path(path) if kind == "npy" else path)
    assert table.column_names[4:10] == list(KEPT)
    assert {name: str(table[name].type) for name in KEPT} == {
        "code": "string",
        "count": "int64",
        "gap": "int64",
        "y": "double",
        "note": "string",
        'a "b", c': "string",
    }
    assert table["code"].to_pylist() == ["007", "b", "1", "a much longer one"]
    assert table["gap"].to_pylist() == [3, None, None, None]
    assert table["y"].to_pylist() == [5.1, None, None, None]


def test_arrays_of_npz_need_no_pickle(tmp_path: Path) -> None:
    arrays = np.load(_write(tmp_path / "out.npz"), allow_pickle=False)
    assert arrays["code"].tolist() == ["007", "b", "1", "a much longer one"]
    np.testing.assert_array_equal(arrays["gap"], [3, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(arrays["y"], [5.1, np.nan, np.nan, np.nan])
    assert arrays["note"].tolist() == ['say "x", y', "", "", ""]
    large: dict[str, list[str | None]] = {"n": ["9007199254740993", None], "m": ["1", "2"]}
    arrays = np.load(_write(tmp_path / "large.npz", large), allow_pickle=False)
    assert arrays["n"].tolist() == ["9007199254740993", "", "", ""]


def test_csv_has_the_texts_of_the_input(tmp_path: Path) -> None:
    text = _write(tmp_path / "out.csv").read_text()
    frame: Any = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    for name, values in KEPT.items():
        assert frame[name].tolist()[:2] == [value or "" for value in values]


def test_all_columns_of_a_file_that_has_none_are_none(tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("CCO ethanol\n")
    assert rows_of(tmp_path / "in.smi", Columns(keep=("all",))).kept == {}
