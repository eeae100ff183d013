"""Files of tables that are damaged, missing, or of no known format."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from molkd.benchmarks.tasks import reading, table
from molkd.errors import ConfigError, InputError


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "cannot read"),
        ("a.csv", b"smiles,y\n", "holds no rows"),
        ("a.csv", b"smiles,y\nC,1,2\nCC,1\n", "cannot read"),
        ("a.csv", b"smiles,y,z\nC,1,2\n\nCC,1\n", "row 1 .* has fewer fields than the header"),
        ("a.csv", b'smiles,y\n"C,1\n', "cannot read"),
        ("a.csv", b"smiles,y\n\xff\xfe,1\n", "cannot read"),
        ("a.csv.gz", b"\x1f\x8b\x08", "cannot read"),
        ("a.parquet", b"PAR1", "cannot read"),
    ],
)
def test_a_damaged_file_is_an_input_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        reading.load(path)


ROWS = [f"{'C' * (row + 1)}O,{row}" for row in range(30)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"smiles,y\n", "holds no SMILES"),
        ("a.csv", b'smiles,y\n"C,1\n', "quoted field that opens in line 2 is not closed"),
        ("a.csv", b"smiles,y,z\nC,1,2\nCC,1\n", r"at least 14 are needed; row 1: .*fields"),
        ("a.csv.gz", b"\x1f\x8b\x08", "cut or damaged"),
        ("a.parquet", b"PAR1", "cut or damaged"),
    ],
)
def test_a_damaged_table_is_an_input_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        table.read(path, metric="MAE")


def test_a_row_that_cannot_be_read_is_left_out_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = ["smiles,y,part,year", *[f"{row},train,2001" for row in ROWS[:20]]]
    lines += [f"{row},test,2002" for row in ROWS[20:]]
    lines[3] = "CC"
    path.write_bytes("\n".join(lines).encode() + b"\n\xff,1,train,2001\n")
    task = table.read(path, metric="MAE", split_column="part", time_column="year")
    assert len(task.items) == 29
    assert task.labels[:3, 0].tolist() == [0, 1, 3]
    assert task.test is not None
    assert task.test.sum() == 10
    assert "row 2: " in task.notes[0]
    assert "not UTF-8" in task.notes[1]


def test_what_a_spreadsheet_writes_is_read(tmp_path: Path) -> None:
    text = "sep=;\nSMILES;y\n" + "\n".join(row.replace(",", ";") for row in ROWS) + "\n"
    (tmp_path / "excel.csv").write_text(text)
    (tmp_path / "wide.csv").write_text("\n".join(["SMILES,y", *ROWS]), encoding="utf-16")
    for name in ("excel.csv", "wide.csv"):
        assert table.read(tmp_path / name, metric="MAE").labels[:, 0].tolist() == [*range(30)]


def test_properties_of_an_sd_file_are_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for row in ROWS:
            smiles, y = row.split(",")
            mol = Chem.MolFromSmiles(smiles)
            if y != "7":
                mol.SetProp("pIC50", y)
            writer.write(mol)
    task = table.read(path, label_columns=["pIC50"], metric="MAE")
    assert task.labels[:, 0].tolist() == [row for row in range(30) if row != 7]
    assert task.items[:2] == ("CO", "CCO")


def test_a_missing_file_and_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv"):
        table.read(tmp_path / "nothing.csv", metric="MAE")
    with pytest.raises(ConfigError, match=r"names no format.*csv, tsv, parquet, sdf"):
        table.read(tmp_path / "mine.xlsx", metric="MAE")
