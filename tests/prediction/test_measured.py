"""Tables of measured compounds: what counts, and a reason for each row that does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from rdkit import Chem

from molkd.errors import InputError
from molkd.prediction import read_measured
from tests.prediction.compounds import CLASSES, SMILES, VALUES, table


def test_numbers_are_values_and_rows_without_one_get_a_reason(tmp_path: Path) -> None:
    labels = [">5", "", "n.d.", *VALUES[3:-1], "inf"]
    measured = read_measured(table(tmp_path / "t.csv", "y", labels), "y")
    assert measured.kind == "regression"
    assert len(measured) == len(VALUES) - 4
    assert measured.y.tolist() == VALUES[3:-1]
    assert measured.reasons == {
        0: "'>5' is a bound, and no number",
        1: "no value",
        2: "'n.d.' is no number",
        len(VALUES) - 1: "'inf' is no number",
    }


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_a_data_frame_is_read_as_its_file_would_be(tmp_path: Path, kind: Any) -> None:
    labels = [None, *VALUES[1:]]
    frame = kind({"smiles": SMILES, " y ": labels})
    found = read_measured(frame, "y")
    expected = read_measured(table(tmp_path / "t.csv", "y", ["", *VALUES[1:]]), "y")
    assert found.smiles == expected.smiles
    assert found.y.tolist() == expected.y.tolist()
    assert found.reasons == {0: "no value"}
    assert list(frame.columns) == ["smiles", " y "]
    with pytest.raises(InputError, match="the data frame has no column 'z'"):
        read_measured(frame, "z")


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (("inactive", "active"), ("inactive", "active")),
        (("Yes", "NO"), ("NO", "Yes")),
        (("0", "1.0"), ("0", "1.0")),
        (("blue", "red"), ("blue", "red")),
        (("1", "2"), ("1", "2")),
    ],
)
def test_two_words_or_numbers_are_classes(
    tmp_path: Path, words: tuple[str, str], classes: tuple[str, str]
) -> None:
    labels = [words[row % 2] for row in range(len(SMILES))]
    measured = read_measured(table(tmp_path / "t.csv", "y", labels), "y")
    assert measured.classes == classes
    assert measured.y.sum() == len(SMILES) / 2


def test_the_class_that_is_meant_can_be_named_in_any_case(tmp_path: Path) -> None:
    measured = read_measured(table(tmp_path / "t.csv", "y", CLASSES), "y", positive="INACTIVE")
    assert measured.classes == ("active", "inactive")
    with pytest.raises(InputError, match=r"no class 'inactiv'\. Did you mean 'inactive'"):
        read_measured(tmp_path / "t.csv", "y", positive="inactiv")


def _as_sdf(path: Path) -> None:
    with Chem.SDWriter(str(path)) as writer:
        for smiles, value in zip(SMILES, VALUES, strict=True):
            mol = Chem.MolFromSmiles(smiles)
            mol.SetProp("Ki, pKi", str(value))
            writer.write(mol)


def _as_excel(path: Path) -> None:
    rows = [f"{row};{text};{VALUES[row]};fine" for row, text in enumerate(SMILES)]
    text = "\n".join(["sep=;", "Compound;SMILES;Ki, pKi;Comment (µ)", *rows])
    path.write_bytes(text.encode("utf-16"))


def _as_commas(path: Path) -> None:
    rows = [f'C,{text},{VALUES[row]},"a, b"' for row, text in enumerate(SMILES)]
    path.write_text("\r\n".join(['id,SMILES,"Ki, pKi",note', *rows]), encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("name", "write"), [("m.sdf", _as_sdf), ("m.csv", _as_excel), ("m.txt.csv", _as_commas)]
)
def test_every_file_is_read_that_can_be_embedded(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    measured = read_measured(tmp_path / name, "Ki, pKi")
    assert measured.y.tolist() == VALUES
    assert len(measured.smiles) == len(SMILES)


def test_a_row_whose_fields_cannot_be_told_apart_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    rows = [f"{text},{VALUES[row]},1" for row, text in enumerate(SMILES)]
    path.write_text("\n".join(["smiles,y,other", "CCCCCCCC,5.3", "", *rows, "CCCCCC,1,2,3"]))
    measured = read_measured(path, "y")
    assert measured.y.tolist() == VALUES
    assert measured.reasons == {
        0: "2 fields where the header has 3 (line 2)",
        1: "blank line",
        len(SMILES) + 2: "4 fields where the header has 3 (line 64)",
    }


def test_a_column_of_molecules_is_read(tmp_path: Path) -> None:
    mols = [Chem.MolFromSmiles(text) for text in SMILES]
    frame = pd.DataFrame({"ROMol": mols, "y": VALUES})
    measured = read_measured(frame, "y", column="ROMol")
    expected = read_measured(table(tmp_path / "t.csv", "y", VALUES), "y")
    assert measured.smiles == expected.smiles
    assert measured.y.tolist() == VALUES


def test_bounds_are_left_out_however_many_there_are(tmp_path: Path) -> None:
    values = [f">{value}" if row % 4 else str(value) for row, value in enumerate(VALUES)] * 3
    path = tmp_path / "b.csv"
    smiles = [f"{'C' * (row + 1)}O" for row in range(len(values))]
    path.write_text("smiles,y\n" + "\n".join(map(",".join, zip(smiles, values, strict=True))))
    measured = read_measured(path, "y")
    assert len(measured) == len(values) // 4
    assert set(measured.reasons.values()) == {
        f"'>{value}' is a bound, and no number" for row, value in enumerate(VALUES) if row % 4
    }


def test_decimal_commas_are_named(tmp_path: Path) -> None:
    path = table(tmp_path / "c.csv", "y", [f'"{value},5"' for value in range(len(VALUES))])
    with pytest.raises(InputError, match="numbers have a decimal point here, no comma"):
        read_measured(path, "y")
    table(path, "y", [row % 3 for row in range(len(VALUES))])
    with pytest.raises(InputError, match=r"give numbers, or two classes$"):
        read_measured(path, "y", kind="classification")


def test_numbers_that_are_classes_are_told_apart_and_named_as_they_are_written(
    tmp_path: Path,
) -> None:
    for values, positive in ((("1234567", "1234568"), "1234568"), (("0.0", "1.0"), "1.0")):
        own = [values[row % 2] for row in range(len(CLASSES))]
        path = table(tmp_path / "n.csv", "y", own)
        for asked in (None, positive, f"{float(positive):.0f}"):
            measured = read_measured(path, "y", positive=asked)
            assert measured.classes == values
            assert sorted(set(measured.y)) == [0, 1]


def test_two_numbers_are_values_where_that_is_said(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "y", [row % 2 for row in range(len(SMILES))])
    assert read_measured(path, "y", kind="regression").classes == ()


def test_copies_are_averaged_however_they_are_written(tmp_path: Path) -> None:
    smiles, labels = ["OCC", *SMILES, "C(C)O"], [1.0, *VALUES, 3.0]
    measured = read_measured(table(tmp_path / "t.csv", "y", labels, smiles), "y")
    assert measured.y[0] == 2
    assert len(measured) == len(SMILES) + 1
    (note,) = measured.notes
    assert "1 compound in more than one row (2 rows)" in note
    assert f"up to 2 apart (rows 0 and {len(SMILES) + 1})" in note


def test_contradictory_classes_are_left_out_with_both_rows(tmp_path: Path) -> None:
    smiles, labels = [*SMILES, SMILES[0]], [*CLASSES, "active"]
    measured = read_measured(table(tmp_path / "t.csv", "y", labels, smiles), "y")
    assert len(measured) == len(SMILES) - 1
    assert list(measured.reasons) == [0, len(SMILES)]
    assert f"(rows 0, {len(SMILES)})" in measured.reasons[0]
    assert measured.notes == ("1 compound in both classes, left out",)


def test_unreadable_molecules_get_a_reason(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "y", [*VALUES, 1.0, 2.0], [*SMILES, "no molecule", ""])
    reasons = read_measured(path, "y").reasons
    assert list(reasons) == [len(SMILES), len(SMILES) + 1]
    assert "SMILES" in reasons[len(SMILES)]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1.0] * 60, "'y' is 1 for every compound"),
        (["active"] * 60, "holds 1 different values"),
        (["low", "mid", "high"] * 20, "holds 3 different values"),
        ([""] * 60, "every field is empty"),
        ([*VALUES[:10], *[""] * 50], "10 different compounds .* too few.*\n.*50 rows: no value"),
        (["active"] * 5 + ["inactive"] * 55, "5 compounds are 'active': give at least 8"),
    ],
)
def test_what_cannot_be_learnt_is_refused(
    tmp_path: Path, labels: list[object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_measured(table(tmp_path / "t.csv", "y", labels), "y")


def test_classes_are_no_values(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'active', 'inactive', where numbers are expected"):
        read_measured(table(tmp_path / "t.csv", "y", CLASSES), "y", kind="regression")
    with pytest.raises(InputError, match="give numbers, or two classes"):
        read_measured(table(tmp_path / "u.csv", "y", VALUES), "y", kind="classification")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("z", "no column 'z'"),
        ("smiles", "name that of the values, or rename it"),
        ("y", "2 columns 'y'"),
    ],
)
def test_the_target_is_one_column(tmp_path: Path, target: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("smiles,y,y\n" + "".join(f"{text},1,2\n" for text in SMILES))
    with pytest.raises(InputError, match=message):
        read_measured(path, target)
