"""Files of embeddings are read back as they were written, whatever their format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from molkd.errors import InputError
from molkd.formats.embeddings import read, read_together
from molkd.formats.encodings import Encoding
from molkd.formats.writers import WRITERS
from molkd.formats.writers.kept import columns_of
from molkd.formats.writers.npy import ids_path
from molkd.formats.writers.table import EmbeddedChunk, Result

IDS = ["007", 'b, "c"', "d", "ü"]
ITEMS = ["CCO", "two\nlines", None, "NA"]
ERRORS = [None, None, "a missing value", None]
VALUES = np.array([[0.1, 1 / 3], [3, 4], [np.nan] * 2, [-1e-7, 12345.678]], np.float32)


def _write(path: Path, column: str = "smiles", dtype: Any = "float32") -> Path:
    halves = (slice(0, 3), slice(3, 4))
    values = VALUES.astype(dtype)
    chunks = [EmbeddedChunk(IDS[s], ITEMS[s], ERRORS[s], values[s]) for s in halves]
    result = Result(rows=4, column=column, encoding=Encoding(dtype, 2), metadata={}, chunks=chunks)
    WRITERS[path.suffix[1:]](path, result, final=path)
    return path


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("column", ["smiles", "text", "image"])
@pytest.mark.parametrize("kind", list(WRITERS))
def test_what_was_written_is_read(tmp_path: Path, kind: str, column: str, dtype: Any) -> None:
    stored = read(_write(tmp_path / f"out.{kind}", column, dtype))
    assert stored.modality == {"smiles": "molecules", "text": "texts", "image": "images"}[column]
    assert stored.ids == IDS
    assert stored.items == ["CCO", "two\nlines", "", "NA"]
    expected = VALUES.astype(dtype).astype(np.float32)
    np.testing.assert_array_equal(stored.values, expected, strict=True)


@pytest.mark.parametrize("kind", list(WRITERS))
def test_reasons_come_back(tmp_path: Path, kind: str) -> None:
    assert dict(read(_write(tmp_path / f"out.{kind}")).reasons) == {2: "a missing value"}


@pytest.mark.parametrize("kind", list(WRITERS))
def test_columns_that_were_carried_along_hold_what_they_held(tmp_path: Path, kind: str) -> None:
    kept: dict[str, list[str | None]] = {
        "code": ["007", "042", "1", None],
        "long": ["12345678901234567890", "1", "2", "3"],
        "pKi": ["7.10", None, "6", "1e-3"],
        "count": ["1", "2", "3", "-4"],
        "word": ["NA", "0x1", "true", None],
    }
    chunks = [EmbeddedChunk(IDS, ITEMS, ERRORS, VALUES, kept=kept)]
    result = Result(
        rows=4,
        column="smiles",
        encoding=Encoding("float32", 2),
        metadata={},
        chunks=chunks,
        kept=columns_of(chunks),
    )
    WRITERS[kind](tmp_path / f"out.{kind}", result, final=tmp_path / f"out.{kind}")
    found = read(tmp_path / f"out.{kind}").columns
    texts = {name: [x or None for x in found[name].to_pylist()] for name in ("code", "word")}
    assert texts == {"code": kept["code"], "word": kept["word"]}
    assert found["long"].to_pylist() == kept["long"]
    assert found["count"].to_pylist() == [1, 2, 3, -4]
    np.testing.assert_array_equal(
        np.array(found["pKi"].to_pylist(), float), np.array([7.1, np.nan, 6, 0.001])
    )


def test_archives_from_elsewhere_may_hold_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    own = np.array([{}], dtype=object)
    np.savez(path, X=VALUES, smiles=np.array(["C"] * 4), own=own, allow_pickle=True)
    assert read(path).columns == {}
    for damage in ("[1]", "[" * 100_000, "no JSON"):
        np.savez(path, X=VALUES, smiles=np.array(["C"] * 4), metadata=np.array(damage))
        with pytest.raises(InputError, match=r"own\.npz"):
            read(path)


def test_tables_from_elsewhere(tmp_path: Path) -> None:
    frame = pd.DataFrame({"smiles": ["C", "N"], "embedding": [[1.0, 2.0], None]})
    frame.to_parquet(tmp_path / "lists.parquet")
    stored = read(tmp_path / "lists.parquet")
    assert stored.ids == ["0", "1"]
    np.testing.assert_array_equal(stored.values, np.array([[1, 2], [np.nan] * 2], np.float32))
    (tmp_path / "wide.csv").write_text("a,text,b\n1,C,2\n,N,4\n")
    stored = read(tmp_path / "wide.csv")
    assert (stored.modality, stored.items) == ("texts", ["C", "N"])
    np.testing.assert_array_equal(stored.values, np.array([[1, 2], [np.nan, 4]], np.float32))


@pytest.mark.parametrize("kind", list(WRITERS))
def test_a_cut_file_is_named(tmp_path: Path, kind: str) -> None:
    path = _write(tmp_path / f"out.{kind}")
    path.write_bytes(path.read_bytes()[: 70 if kind == "csv" else -8])
    with pytest.raises(InputError, match=rf"out\.{kind}"):
        read(path)


def test_a_matrix_needs_the_table_of_its_rows(tmp_path: Path) -> None:
    path = _write(tmp_path / "out.npy")
    np.save(path, VALUES[:3])
    with pytest.raises(InputError, match=r"out\.npy holds 4 molecules, 4 ident.* and 3 embeddings"):
        read(path)
    ids_path(path).unlink()
    with pytest.raises(InputError, match=r"out\.npy\.ids\.parquet"):
        read(path)


def test_what_holds_no_embeddings_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"smiles": ["C"]}).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(InputError, match=r"none\.parquet holds no embeddings"):
        read(tmp_path / "none.parquet")
    pd.DataFrame({"smiles": ["C", "N"], "embedding": [[1.0], [1.0, 2.0]]}).to_parquet(
        tmp_path / "ragged.parquet"
    )
    with pytest.raises(InputError, match=r"ragged\.parquet: embeddings of different widths"):
        read(tmp_path / "ragged.parquet")
    pd.DataFrame({"smiles": ["C"], "text": ["C"], "x": [1.0]}).to_parquet(tmp_path / "two.parquet")
    with pytest.raises(InputError, match=r"two\.parquet: several columns of items among"):
        read(tmp_path / "two.parquet")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"smiles": ["C"], "embedding": ["1 2"]}, "column 'embedding' holds .*string"),
        ({"smiles": ["C"], "embedding": [[["1"]]]}, "values of type object"),
        ({"smiles": [7], "embedding": [[1.0]]}, "column 'smiles' holds int64, not texts"),
        ({"smiles": ["C"], "x": ["one"]}, "one"),
    ],
)
def test_columns_of_other_types_are_named(
    tmp_path: Path, columns: dict[str, list[object]], message: str
) -> None:
    path = tmp_path / "other.parquet"
    pd.DataFrame(columns).to_parquet(path)
    with pytest.raises(InputError, match=rf"other\.parquet: .*{message}"):
        read(path)


def test_identifiers_of_other_types_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "ids.parquet"
    ids = pd.array([10**17 + 1, None], dtype="Int64")
    pd.DataFrame({"id": ids, "smiles": ["C", "N"], "x": [1.0, 2.0]}).to_parquet(path)
    assert read(path).ids == ["100000000000000001", ""]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"smiles": ["C"]}, "there is no array X"),
        ({"X": [[1.0]], "smiles": [["C"]]}, "smiles has shape"),
        ({"X": [[1.0]], "smiles": ["C"], "ids": [1.5]}, "ids has shape .* of float64"),
        ({"X": [["1"]], "smiles": ["C"]}, "values of type <U1, not numbers"),
    ],
)
def test_arrays_of_other_types_are_named(
    tmp_path: Path, arrays: dict[str, list[object]], message: str
) -> None:
    np.savez(tmp_path / "other.npz", **arrays)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match=rf"other\.npz: {message}"):
        read(tmp_path / "other.npz")


def test_files_that_are_read_together_have_the_same_columns(tmp_path: Path) -> None:
    paths = [_write(tmp_path / f"{name}.parquet") for name in "ab"]
    assert read_together(paths).ids == IDS * 2
    table = pq.read_table(paths[1])
    for other, said in (
        (
            table.append_column("act", table["id"]),
            r"b\.parquet has other columns .*: act \(string\); embed",
        ),
        (
            table.select(table.column_names[::-1]),
            r"b\.parquet has other .* in another order; embed",
        ),
    ):
        pq.write_table(other, paths[1])
        with pytest.raises(InputError, match=said):
            read_together(paths)


def test_files_that_say_what_nobody_reads_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.parquet")
    table = pq.read_table(path).replace_schema_metadata({"molkd.encoding": "int3"})
    pq.write_table(table, path)
    with pytest.raises(InputError, match=r"cannot read embeddings from .*a\.parquet: .*'int3'"):
        read_together([path])
