"""Identifiers and columns of the input reach the output, through parts and interruptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molkd.errors import ConfigError, InputError, OutputError
from molkd.formats import WRITERS
from molkd.formats.embeddings import read, read_together
from tests.embedding.jobs import SMILES, embed
from tests.fakes.fake_encoders import FakeEncoder


def _table(folder: Path, name: str = "in.csv") -> Path:
    rows = [
        {"compound_id": f"m{row:03}", "smiles": text, "pIC50": row / 7, "batch": f"{row:03}"}
        for row, text in enumerate(SMILES)
    ]
    rows[20]["smiles"] = "bad"
    rows[30]["pIC50"] = None
    pd.DataFrame(rows).to_csv(folder / name, index=False)
    return folder / name


def test_columns_reach_the_output(tmp_path: Path) -> None:
    source, output = _table(tmp_path), tmp_path / "out.parquet"
    summary = embed(FakeEncoder(), source, output, keep=("batch", "pIC50"))
    table = pq.read_table(output)
    names = ["id", "smiles", "valid", "error", "batch", "pIC50", "embedding"]
    assert table.column_names == names
    measured = [None if row == 30 else row / 7 for row in range(100)]
    assert table["pIC50"].to_pylist() == measured
    assert table["batch"].to_pylist() == [f"{row:03}" for row in range(100)]
    assert table["id"].to_pylist() == [f"m{row:03}" for row in range(100)]
    assert summary.invalid == 1


@pytest.mark.parametrize("kind", list(WRITERS))
def test_rows_that_are_left_out_take_their_columns_along(tmp_path: Path, kind: str) -> None:
    output = tmp_path / f"out.{kind}"
    embed(FakeEncoder(), _table(tmp_path), output, keep=("all",), on_invalid="drop")
    assert read(output).ids == [f"m{row:03}" for row in range(100) if row != 20]
    if kind == "npz":
        arrays = np.load(output)
        assert arrays["batch"].tolist() == [f"{row:03}" for row in range(100) if row != 20]


def test_columns_survive_an_interruption(tmp_path: Path) -> None:
    source, output, whole = _table(tmp_path), tmp_path / "out.csv", tmp_path / "whole.csv"
    with pytest.raises(KeyboardInterrupt):
        embed(FakeEncoder(stop=SMILES[70]), source, output, keep=("all",))
    encoder = FakeEncoder()
    assert embed(encoder, source, output, keep=("all",)).resumed == 64
    embed(FakeEncoder(), source, whole, keep=("all",))
    assert output.read_bytes() == whole.read_bytes()


def test_other_columns_are_another_output(tmp_path: Path) -> None:
    source, output = _table(tmp_path), tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        embed(FakeEncoder(stop=SMILES[70]), source, output, keep=("batch",))
    assert embed(FakeEncoder(), source, output, keep=("pIC50",)).resumed == 0
    with pytest.raises(OutputError, match="or with other settings"):
        embed(FakeEncoder(), source, output)
    assert embed(FakeEncoder(), source, output, keep=("pIC50",)).already_done


@pytest.mark.parametrize(
    ("keep", "error", "message"),
    [
        (("pic50",), InputError, r"no column 'pic50'\. Did you mean 'pIC50'"),
        (("smiles",), ConfigError, "'smiles' cannot be kept, for the output has"),
        (("all", "batch"), InputError, "no column 'all'"),
    ],
)
def test_columns_that_cannot_be_kept(
    tmp_path: Path, keep: tuple[str, ...], error: Any, message: str
) -> None:
    encoder = FakeEncoder()
    with pytest.raises(error, match=message):
        embed(encoder, _table(tmp_path), tmp_path / "out.csv", keep=keep)
    assert encoder.asked == []


# == Identifiers


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("kind", list(WRITERS))
def test_rows_are_numbered_where_none_has_a_name(tmp_path: Path, kind: str, drop: bool) -> None:
    source, output = tmp_path / "in.smi", tmp_path / f"out.{kind}"
    source.write_text("C\nbad\n" * 20)
    embed(FakeEncoder(), source, output, on_invalid="drop" if drop else "null")
    assert read(output).ids == [str(row) for row in range(0, 40, 1 + drop)]


@pytest.mark.parametrize("kind", list(WRITERS))
def test_a_missing_name_never_becomes_a_number(tmp_path: Path, kind: str) -> None:
    """Here row 39 is the only one that has a name, far behind the first parts."""
    source, output = tmp_path / "in.smi", tmp_path / f"out.{kind}"
    source.write_text("C\n" * 39 + "C 3\n")
    embed(FakeEncoder(), source, output)
    assert read(output).ids == [*[""] * 39, "3"]
    if kind == "parquet":
        assert pq.read_table(output)["id"].to_pylist() == [*[None] * 39, "3"]


def test_row_numbers_can_be_asked_for(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    embed(FakeEncoder(), _table(tmp_path), output, id_column="")
    assert read(output).ids == [str(row) for row in range(100)]


def test_a_name_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_bytes(b"id,smiles,x\na,C,1\ncaf\xe9,N,2\nb,O,\xe9\n")
    embed(FakeEncoder(), source, output)
    table = pq.read_table(output)
    assert table["id"].to_pylist() == ["a", r"caf\xe9", "b"]
    assert table["valid"].to_pylist() == [True, False, True]
    assert table["error"][1].as_py().startswith("not UTF-8: byte 0xe9 at character 3")


# == Files named by their rows


@pytest.mark.parametrize("keep", [("x", "y"), ("all",)])
@pytest.mark.parametrize("kind", ["csv", "two.csv", "parquet"])
def test_every_file_has_the_same_columns_whatever_its_rows_are(
    tmp_path: Path, keep: tuple[str, ...], kind: str
) -> None:
    bad = ["bad", "too,many,fields,in,these", "C"]
    lines = [f"{bad[row // 8]},{row},a" if row // 8 != 1 else bad[1] for row in range(24)]
    if kind == "two.csv":
        (tmp_path / "b.csv").write_text("smiles,x,y\n" + "\n".join(lines[12:]))
        lines = lines[:12]
    (tmp_path / "a.csv").write_text("smiles,x,y\n" + "\n".join(lines))
    if kind == "parquet":
        pd.DataFrame({"smiles": ["bad"] * 16 + ["C"] * 8, "x": 1, "y": "a"}).to_parquet(
            tmp_path / "a.parquet"
        )
    source = tmp_path / ("a.parquet" if kind == "parquet" else "*.csv")
    embed(FakeEncoder(), source, tmp_path / "out", keep=keep, on_invalid="drop", rows_per_file=8)
    paths = sorted((tmp_path / "out").glob("*.parquet"))
    assert [pq.read_metadata(path).num_rows for path in paths] == [0, 0, 8]
    names = ["id", "smiles", "valid", "error", "x", "y", "embedding"]
    assert [pq.read_schema(path).names for path in paths] == [names] * 3


def test_properties_are_named_where_files_have_to_be_alike(tmp_path: Path) -> None:
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    last = f"{block}> <act>\n7\n\n$$$$\n"
    source, out = tmp_path / "in.sdf", tmp_path / "out"
    source.write_text(f"{block}$$$$\n" * 8 + last)
    with pytest.raises(ConfigError, match="name the properties to keep one by one"):
        embed(FakeEncoder(read="unread"), source, out, keep=("all",), rows_per_file=4)
    embed(FakeEncoder(read="unread"), source, out, keep=("act",), rows_per_file=4)
    assert read_together(sorted(out.glob("*.parquet"))).columns["act"].to_pylist()[7:] == [
        None,
        "7",
    ]
