"""Every kind of file gives the same rows, in order, whatever its compression and line ends."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdDepictor

from molkd.errors import ConfigError, InputError, UnknownNameError
from molkd.formats.columns import Columns
from molkd.formats.readers import read
from tests.formats.rows import file, rows_of

IDS = ["ethanol", "benzene", "salt", "charged"]
SMILES = ["CCO", "c1ccccc1", "[Na+].[Cl-]", "C[N+](C)(C)C"]
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


def _table(separator: str) -> bytes:
    lines = [separator.join(row) for row in zip(IDS, SMILES, strict=True)]
    return "\n".join([separator.join(["name", "smiles"]), *lines]).encode()


def _sdf(smiles: list[str] = SMILES, ids: list[str] = IDS) -> bytes:
    blocks: list[str] = []
    for text, name in zip(smiles, ids, strict=True):
        mol = Chem.MolFromSmiles(text)
        mol.SetProp("_Name", name)
        blocks.append(Chem.MolToMolBlock(mol) + f">  <code>  (1)\nC-{name}\n\n$$$$\n")
    return "".join(blocks).encode()


def _parquet() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"name": IDS, "smiles": SMILES}).to_parquet(buffer)
    return buffer.getvalue()


CONTENT = {
    "smi": "\n".join(f"{a} {b}" for a, b in zip(SMILES, IDS, strict=True)).encode(),
    "csv": _table(","),
    "tsv": _table("\t"),
    "parquet": _parquet(),
    "sdf": _sdf(),
}


def _canonical(texts: list[str | None]) -> list[str]:
    return [Chem.CanonSmiles(text) for text in texts]


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("kind", CONTENT)
def test_every_kind_and_compression(tmp_path: Path, kind: str, compression: str) -> None:
    path = file(tmp_path, f"in.{kind}{compression}", COMPRESS[compression](CONTENT[kind]))
    columns = Columns(id="name") if kind in {"csv", "tsv", "parquet"} else None
    records = rows_of(path, columns)
    assert records.ids == IDS
    assert _canonical(records.items) == _canonical(list(SMILES))
    assert records.failures == {}


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("kind", CONTENT)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, kind: str, compression: str) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe(COMPRESS[compression](CONTENT[kind]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
    records = rows_of("-", kind=kind)
    assert _canonical(records.items) == _canonical(list(SMILES))


def test_standard_input_without_a_format() -> None:
    with pytest.raises(ConfigError, match="name its format with --input-format"):
        rows_of("-")


@pytest.mark.parametrize("name", ["in.smiles", "in.SMI", "in.ism", "in.data.smi"])
def test_other_suffixes(tmp_path: Path, name: str) -> None:
    assert rows_of(file(tmp_path, name, CONTENT["smi"])).ids == IDS


def test_an_unknown_suffix_can_be_overruled(tmp_path: Path) -> None:
    path = file(tmp_path, "in.txt", CONTENT["smi"])
    with pytest.raises(ConfigError, match=r"in.txt names no format.*--input-format"):
        rows_of(path)
    assert rows_of(path, kind="smi").ids == IDS
    with pytest.raises(UnknownNameError, match=r"unknown input format 'smii'. Did you mean 'smi'"):
        rows_of(path, kind="smii")


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 100])
def test_chunks_are_full_and_numbered(tmp_path: Path, rows: int) -> None:
    chunks = list(read(file(tmp_path, "in.smi", CONTENT["smi"]), chunk_rows=rows))
    assert [chunk.row0 for chunk in chunks] == list(range(0, 4, rows))
    assert [name for chunk in chunks for name in chunk.ids] == IDS


# == SMILES files


def test_smi_names_are_optional_and_may_hold_spaces(tmp_path: Path) -> None:
    records = rows_of(file(tmp_path, "in.smi", "CCO\nC  two  words \n\tnameless\n"))
    assert records.ids == [None, "two  words", "nameless"]
    assert records.items == ["CCO", "C", ""]


def test_smi_header_is_known_by_its_first_word(tmp_path: Path) -> None:
    assert rows_of(file(tmp_path, "in.smi", "Smiles id\nC a\n")).ids == ["a"]
    assert rows_of(file(tmp_path, "in.smi", "C smiles\nC a\n")).ids == ["smiles", "a"]


def test_smi_blank_lines_keep_their_rows_except_at_the_end(tmp_path: Path) -> None:
    records = rows_of(file(tmp_path, "in.smi", "C\n\n  \nCC\n\n\n"))
    assert records.items == ["C", None, None, "CC"]
    assert records.failures == {1: "blank line", 2: "blank line"}


def test_smi_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no columns to choose from: leave out --column"):
        rows_of(file(tmp_path, "in.smi", "C\n"), Columns(item="x"))


@settings(max_examples=50, deadline=None)
@given(
    ends=st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=4, max_size=4),
    kind=st.sampled_from(["smi", "csv", "tsv"]),
    bom=st.booleans(),
)
def test_line_ends_may_be_mixed(
    tmp_path_factory: pytest.TempPathFactory, ends: list[str], kind: str, bom: bool
) -> None:
    lines = CONTENT[kind].decode().splitlines()
    text = "".join(line + end for line, end in zip(lines, [*ends, ""], strict=False))
    path = tmp_path_factory.mktemp("ends") / f"in.{kind}"
    path.write_bytes(text.encode("utf-8-sig" if bom else "utf-8"))
    assert rows_of(path).items == SMILES


# == Tables


@pytest.mark.parametrize(
    "column", ["smiles", "SMILES", "canonical_smiles", "Drug", "Canonical SMILES"]
)
def test_usual_names_of_the_smiles_column(tmp_path: Path, column: str) -> None:
    assert rows_of(file(tmp_path, "in.csv", f"x,{column}\n1,CCO\n")).items == ["CCO"]


def test_quoted_commas_line_ends_and_quotes(tmp_path: Path) -> None:
    text = 'id,smiles\n"a, b",CCO\n"two\nlines",C\n"say ""x""",CC\n'
    records = rows_of(file(tmp_path, "in.csv", text), Columns(id="id"))
    assert records.ids == ["a, b", "two\nlines", 'say "x"']
    assert records.items == ["CCO", "C", "CC"]


def test_a_row_with_other_fields_keeps_its_place(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", "id,smiles\na,CCO\nb,CC,9\nc\n\nd,C\n\n")
    records = rows_of(path, Columns(id="id"))
    assert records.ids == ["a", None, None, None, "d"]
    assert records.items == ["CCO", None, None, None, "C"]
    assert records.failures == {
        1: "3 fields where the header has 2 (line 3)",
        2: "1 fields where the header has 2 (line 4)",
        3: "blank line",
    }


@pytest.mark.parametrize("text", ["nan", "NaN", "None", "NA", "null", "<NA>"])
def test_texts_for_missing_values(tmp_path: Path, text: str) -> None:
    assert rows_of(file(tmp_path, "in.csv", f"id,smiles\na,{text}\nb,\n")).items == [None, ""]


def test_parquet_nulls_and_other_types(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    frame = pd.DataFrame({"key": [7, 8, 9], "smiles": ["C", None, float("nan")], "x": 1.5})
    frame.to_parquet(path)
    records = rows_of(path, Columns(id="key"))
    assert records.ids == ["7", "8", "9"]
    assert records.items == ["C", None, None]
    with pytest.raises(InputError, match="column 'x' holds double, not SMILES"):
        rows_of(path, Columns(item="x"))
    frame["smiles"] = frame["smiles"].astype("category")
    frame.to_parquet(path)
    assert rows_of(path).items == ["C", None, None]


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_a_missing_column(tmp_path: Path, kind: str) -> None:
    path = file(tmp_path, f"in.{kind}", CONTENT[kind])
    expected = r"no column 'smile'\. Did you mean 'smiles'\? Columns: 'name', 'smiles'\."
    with pytest.raises(InputError, match=expected):
        rows_of(path, Columns(item="smile"))
    with pytest.raises(InputError, match=r"no column 'nam'\. Did you mean 'name'"):
        rows_of(path, Columns(id="nam"))


def test_no_usual_column_and_several(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column with a usual name.*Columns: 'a', 'b'"):
        rows_of(file(tmp_path, "in.csv", "a,b\n1,C\n"))
    with pytest.raises(InputError, match="several columns with a usual name"):
        rows_of(file(tmp_path, "in.csv", "smiles,Drug\nC,C\n"))
    with pytest.raises(InputError, match="2 columns 'a'"):
        rows_of(file(tmp_path, "in.csv", "a,a\n1,C\n"), Columns(item="a"))


# == SD files


def test_sdf_identifiers_by_property(tmp_path: Path) -> None:
    path = file(tmp_path, "in.sdf", _sdf())
    assert rows_of(path, Columns(id="code")).ids == [f"C-{name}" for name in IDS]
    with pytest.raises(
        InputError, match=r"none of the first 4.* property 'cod'.*Did you mean 'code'"
    ):
        rows_of(path, Columns(id="cod"))
    with pytest.raises(ConfigError, match="leave out --column"):
        rows_of(path, Columns(item="code"))


def test_sdf_keeps_stereochemistry(tmp_path: Path) -> None:
    texts = ["C[C@H](O)F", "C[C@@H](O)F", "F/C=C/F", "F/C=C\\F"]
    mols = [Chem.MolFromSmiles(text) for text in texts]
    for mol in mols:
        rdDepictor.Compute2DCoords(mol)
        Chem.WedgeMolBonds(mol, mol.GetConformer())
    blocks = "".join(Chem.MolToMolBlock(mol) + "$$$$\n" for mol in mols)
    records = rows_of(file(tmp_path, "in.sdf", blocks))
    assert records.items == _canonical(list(texts))


def test_sdf_bad_blocks_keep_their_rows(tmp_path: Path) -> None:
    good = _sdf().decode().split("$$$$\n")
    carbon = Chem.MolToMolBlock(Chem.MolFromSmiles("CC(C)(C)C"))
    pentavalent = carbon.replace("  2  5  1  0", "  2  5  2  0")
    blocks = [good[0], "title\nonly\n", pentavalent, "", good[1], _empty_block()]
    records = rows_of(file(tmp_path, "in.sdf", "".join(f"{block}$$$$\n" for block in blocks)))
    assert len(records) == 6
    assert [records.items[0], records.items[4]] == ["CCO", "c1ccccc1"]
    assert sorted(records.failures) == [1, 2, 3, 5]
    assert records.failures[1] == "molecule block cannot be read"
    assert "valence" in records.failures[2]
    assert records.failures[5] == "molecule without atoms"


def _empty_block() -> str:
    return Chem.MolToMolBlock(Chem.MolFromSmiles(""))
