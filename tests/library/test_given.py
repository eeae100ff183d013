"""Molecules at hand become a library, row by row, as `molkd embed` would embed their file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from rdkit import Chem

import molkd
from molkd import library
from molkd.errors import InputError
from tests.fakes import libraries

SMILES = ["CCO", "c1ccccc1O", "nonsense", None, "CC(=O)Oc1ccccc1C(=O)O"]
NAMES = ["a", "b", "c", "d", "e"]
TINY = "molkd-tiny"


def _of(molecules: Any, column: str | None = None) -> library.Library:
    return library.of(molecules, model=TINY, column=column, progress=False)


FRAME = pd.DataFrame({"SMILES": SMILES, "name": NAMES, "pIC50": [1, 2.5, np.nan, 4, 5]})


@pytest.mark.parametrize(
    "molecules",
    [
        SMILES,
        tuple(SMILES),
        iter(SMILES),
        np.array(SMILES, dtype=object),
        pd.Series(SMILES),
        pl.Series(SMILES),
        pa.array(SMILES),
        FRAME,
        FRAME.set_index("name", drop=False),
        pl.from_pandas(FRAME),
        pa.table({"smiles": SMILES, "id": NAMES}),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}",
)
def test_every_form_keeps_its_rows(molecules: Any) -> None:
    found = _of(molecules)
    assert found.reasons == {2: "SMILES syntax error", 3: "no SMILES but a missing value"}
    assert list(found.smiles) == [text or "" for text in SMILES]
    expected = molkd.load(TINY).embed(["CCO"]).values[0]  # noqa: PD011 (no data frame)
    first = next(library.rows_of(found).source.values())[0]
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-5)
    assert found.model == "molkd-tiny-1"


def test_identifiers_and_columns_of_a_data_frame_are_kept() -> None:
    mixed = [1, "x", None, 2.0, np.float64(3)]
    frame = FRAME.assign(mixed=mixed, whole=pd.array([1, None, 2, 3, 4], dtype="Int64"))
    found = _of(frame)
    assert list(found.ids) == NAMES
    columns = {name: column.to_pylist() for name, column in found.columns.items()}
    assert columns["pIC50"] == [1.0, 2.5, None, 4.0, 5.0]
    assert columns["whole"] == [1, None, 2, 3, 4]
    assert columns["mixed"] == ["1", "x", None, "2.0", "3.0"]


def test_rdkit_molecules_are_taken_alone_and_as_a_column() -> None:
    mols = [Chem.MolFromSmiles("OCC"), None]
    assert list(_of(mols).smiles) == ["CCO", ""]
    frame = pd.DataFrame({"mol": mols, "smiles": ["C", "CC"]})
    assert list(_of(frame).columns) == []  # objects are no column to keep
    assert list(_of(frame, column="mol").smiles) == ["CCO", ""]


def test_rdkit_molecules_are_the_compound_and_a_query_is_none() -> None:
    drawn = Chem.AddHs(Chem.MolFromSmiles("[CH3:1]CO"))
    library = _of([drawn, Chem.MolFromSmarts("[C,N]c1ccccc1"), Chem.MolFromSmarts("CC"), "CC"])
    assert library.smiles[0] == "CCO"
    assert library.smiles[1:3] == ["query [C,N]c1ccccc1", "query CC"]
    assert library.valid.tolist() == [True, False, False, True]
    assert library.reasons.keys() == {1, 2}


def test_files_of_molecules_and_of_embeddings_are_taken(tmp_path: Path) -> None:
    file = libraries.embedded(tmp_path)
    from_molecules = _of(tmp_path / "molecules.csv")
    from_embeddings = library.of(file)
    assert from_molecules.digest == from_embeddings.digest
    assert library.of(from_embeddings) is from_embeddings
    assert from_molecules.columns["rank"][1].as_py() == 0.5


@pytest.mark.parametrize(
    ("molecules", "message"),
    [
        ([], "expected molecules, got none"),
        (FRAME[:0], "expected molecules, got none"),
        ("CCO", r"no file CCO; SMILES are given as a list: \['CCO'\]"),
        (5, "a list of SMILES, a data frame or a file, got a int"),
        ({"smiles": ["CCO"]}, "got a dict"),
        (pd.DataFrame({"a": ["CCO"]}), "the data frame has no column with a usual name"),
        (
            pd.DataFrame([["CCO", 1, 2]], columns=["smiles", "x", "x"]),
            r"several columns of one name: Columns: 'smiles', 'x', 'x'",
        ),
    ],
)
def test_what_is_no_molecules_is_refused(molecules: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _of(molecules)


def test_a_table_with_columns_of_a_library_is_taken_without_them(tmp_path: Path) -> None:
    path = tmp_path / "checked.csv"
    path.write_text("id,smiles,familiarity,valid,error\na,CCO,.4,True,\nb,xx,,False,oops\n")
    library = _of(path)
    assert list(library.columns) == ["familiarity"]
    assert library.valid.tolist() == [True, False]
    assert library.ids == ["a", "b"]


def test_queries_are_what_is_at_hand(tmp_path: Path) -> None:
    given = libraries.embedded(tmp_path)
    frame = pd.DataFrame({"smiles": ["CCO", None, "xx"], "name": ["ethanol", "none", "no"]})
    hits = library.search(given, frame, k=1)
    assert hits.queries.ids == ["ethanol", "none", "no"]
    assert hits.neighbours[0][0].smiles == "CCO"
    assert sorted(hits.reasons) == [1, 2]
    assert hits._repr_html_().count("<li>") == 1
    mols = [Chem.MolFromSmiles("OCC"), None]
    assert library.Queries.of(mols).smiles == ["CCO", ""]
    assert repr(library.Queries.of("CCO")) == "<Queries: 1 molecule>"
    assert library.pick(given, 2, around=mols).notes[-1].startswith("1 of 2 seeds are left out")


def test_a_query_without_an_identifier_has_none_of_another(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text("smiles,id\nCCO,1\nCCN,\n")
    assert library.Queries.read(path).ids == ["1", ""]
    path.write_text("smiles\nCCO\nCCN\n")
    assert library.Queries.read(path).ids == ["0", "1"]


def test_the_workbench_takes_molecules_at_hand() -> None:
    given = libraries.SMILES
    assert library.search(given, ["CCO"], k=1).neighbours[0][0].smiles == "CCO"
    assert len(library.pick(given, 3).rows) == 3
    assert library.clusters(given, 2).labels.shape == (len(given),)
    assert len(library.check(given).known.scores) == len(given)
    assert len(library.map_of(given, library.MapSettings(layout="pca")).rows) == len(given)
    assert len(library.report_of(given, progress=False).library) == len(given)
