"""Identifiers are those of the file, with all their digits; missing ones stay missing."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.formats.columns import Columns
from molkd.items import TEXTS
from tests.formats.rows import file, rows_of

DAY = dt.datetime(2024, 2, 29, 12, 30, 5)  # noqa: DTZ001 - a column without a zone
SPARK = pa.array([b"A1", "é".encode(), None], pa.binary())


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (SPARK, ["A1", "é", None]),
        (SPARK.dictionary_encode(), ["A1", "é", None]),
        (pa.array([b"A1\0\0", b"B22\0"], pa.binary(4)), ["A1", "B22"]),
        (pa.array([b"\xff\x00\x01\x02" * 4], pa.binary(16)), ["ff000102" * 4]),
        (pa.array(["a", None, ""], pa.large_string()), ["a", None, ""]),
        (pa.array([1, None, 3]), ["1", None, "3"]),
        (pa.array([2**63 - 1, -5]), ["9223372036854775807", "-5"]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([1.0, None, 2.5, float("nan"), 12345678901234567.0]), None),
        (pa.array([0.1, 7.0], pa.float32()), ["0.1", "7"]),
        (pa.array([Decimal("12.00"), Decimal("1.50"), None]), ["12", "1.50", None]),
        (pa.array([Decimal("9" * 38)]), ["9" * 38]),
        (pa.array([DAY, None], pa.timestamp("ns")), ["2024-02-29 12:30:05", None]),
        (pa.array([DAY.date()]), ["2024-02-29"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["x", "y", None]).dictionary_encode(), ["x", "y", None]),
        (pa.array([8, None]).dictionary_encode(), ["8", None]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([uuid.UUID(int=5).bytes], pa.uuid()), [str(uuid.UUID(int=5))]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_types_of_parquet(tmp_path: Path, column: Any, ids: list[str | None] | None) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"key": column, "smiles": ["C"] * len(column)}), path)
    found = rows_of(path, Columns(id="key"), rows=2)
    assert found.ids == (ids or ["1", None, "2.5", None, "12345678901234568"])
    assert found.items == ["C"] * len(column)
    assert found.failures == {}


def test_integers_with_a_gap_from_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame({"key": [1, 2, None, 4], "smiles": ["C"] * 4})
    frame.to_parquet(tmp_path / "in.parquet")
    frame.to_csv(tmp_path / "in.csv", index=False)
    assert rows_of(tmp_path / "in.parquet", Columns(id="key")).ids == ["1", "2", None, "4"]
    assert rows_of(tmp_path / "in.csv", Columns(id="key")).ids == ["1.0", "2.0", None, "4.0"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["smiles", "y", "Name", "ID"], "ID"),
        (["Compound ID", "smiles", "name"], "Compound ID"),
        (["molecule_chembl_id", "canonical_smiles", "cid"], "molecule_chembl_id"),
        (["Drug_ID", "Drug", "Y"], "Drug_ID"),
        (["zinc-id", "smiles"], "zinc-id"),
        (["smiles", "identity"], None),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_a_column_with_a_usual_name_is_taken(
    tmp_path: Path, kind: str, names: list[str], expected: str | None
) -> None:
    frame = pd.DataFrame([[f"x{name}" for name in names]], columns=names)
    path = tmp_path / f"in.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="," if kind == "csv" else "\t")
    assert rows_of(path).ids == [expected and f"x{expected}"]
    assert rows_of(path, Columns(id="")).ids == [None]


def test_the_column_of_the_items_is_no_identifier(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", "name,x\nCCO,1\n")
    assert rows_of(path, Columns("name")).ids == [None]
    assert rows_of(path, Columns("name", "name")).ids == ["CCO"]


def test_names_of_texts_and_of_json(tmp_path: Path) -> None:
    lines = ['{"doc_id": 7, "text": "a"}', '{"text": "b"}', '{"doc_id": 7.0, "text": "c"}']
    found = rows_of(file(tmp_path, "in.jsonl", "\n".join(lines)), Columns(style=TEXTS.style))
    assert found.ids == ["7", None, "7"]


def test_rows_without_a_name_have_none(tmp_path: Path) -> None:
    assert rows_of(file(tmp_path, "in.smi", "C 1\nCC\nCCC 2\n")).ids == ["1", None, "2"]
    assert rows_of(file(tmp_path, "in.csv", "id,smiles\n1,C\n,C\n")).ids == ["1", None]
    assert rows_of(tmp_path / "in.smi", Columns(id="")).ids == [None] * 3
