"""Records of SD files are told apart as RDKit tells them apart, and their properties read alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from molkd.errors import ConfigError, InputError
from molkd.formats.columns import Columns
from tests.formats.rows import file, rows_of

ONE, TWO, THREE = (Chem.MolToMolBlock(Chem.MolFromSmiles(text)) for text in ("CCO", "CCC", "CCN"))
REST = f"{TWO}$$$$\n{THREE}$$$$\n"
EVERY = Columns(keep=("all",))


def _agree(folder: Path, text: str) -> list[dict[str, str]]:
    """The properties of all records, which RDKit and molkd read alike."""
    path = file(folder, "in.sdf", text)
    found = rows_of(path, EVERY)
    with path.open("rb") as stream:  # where `len` is asked for, RDKit splits at any dollars
        mols = list(Chem.ForwardSDMolSupplier(stream))
    assert found.items == [Chem.MolToSmiles(mol) for mol in mols]
    assert found.ids == [mol.GetProp("_Name") or None for mol in mols]
    ours = [
        {name: values[row] for name, values in found.kept.items() if values[row] is not None}
        for row in range(len(found))
    ]
    theirs = [{name: mol.GetProp(name) for name in mol.GetPropNames()} for mol in mols]
    assert ours == [{name: text for name, text in one.items() if text} for one in theirs]
    return ours  # type: ignore[return-value]


# == Dollars


@pytest.mark.parametrize("value", ["$$$$ cheap", "$$$$", "$$$$$", "a\n$$$$ b\nc", "$$$$\n$$$$ b"])
def test_a_value_of_dollars_shifts_no_row(tmp_path: Path, value: str) -> None:
    first, *_ = _agree(tmp_path, f"{ONE}>  <price>\n{value}\n\n>  <code>\nA\n\n$$$$\n{REST}")
    assert first == {"price": value, "code": "A"}
    first, *_ = _agree(tmp_path, f"{ONE}>  <price>\n{value}\n\n$$$$\n{REST}")
    assert first == {"price": value}


@pytest.mark.parametrize("end", ["$$$$", "$$$$  ", "$$$$ end of record", "$$$$\r"])
def test_what_closes_a_record(tmp_path: Path, end: str) -> None:
    _agree(tmp_path, f"{ONE}{end}\n{REST}")
    _agree(tmp_path, f"{ONE}> <code>\nA\n\n{end}\n{REST}")


@pytest.mark.parametrize("end", ["$$$$", "$$$$ end of record"])
def test_a_missing_line_before_the_dollars_costs_no_row(tmp_path: Path, end: str) -> None:
    """RDKit takes the dollars and the next molecule for the value here, and loses that molecule."""
    record = f"{ONE}> <code>\nA\n{end}\n"
    found = rows_of(file(tmp_path, "in.sdf", record * 3 + f"{ONE}> <code>\nB\n{end}"), EVERY)
    assert found.items == ["CCO"] * 4
    assert found.kept == {"code": ["A", "A", "A", "B"]}


def test_dollars_in_a_title(tmp_path: Path) -> None:
    _agree(tmp_path, f"$$$$ name{ONE}$$$$\n{REST}")


# == Properties


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (">  <a<b>", "a<b"),
        ("> <c>d>", "c>d"),
        (">  <IC50 (<10 nM)>  (7)", "IC50 (<10 nM)"),
        ("> 25 <MELTING.POINT>", "MELTING.POINT"),
        (">  <y> (1) FROM <z>", "y> (1) FROM <z"),
        (" >  <x>", "x"),
    ],
)
def test_names_of_properties(tmp_path: Path, header: str, name: str) -> None:
    first, *_ = _agree(tmp_path, f"{ONE}{header}\nvalue\n\n$$$$\n{REST}")
    assert first == {name: "value"}
    assert rows_of(tmp_path / "in.sdf", Columns(id=name)).ids == ["value", None, None]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("> <a>\none\ntwo\n\n", {"a": "one\ntwo"}),
        ("> <a>\none\n \ntwo\n\n> <b>\n2\n\n", {"a": "one\n \ntwo", "b": "2"}),
        ("> <a>\n> <b>\n\n> <c>\n3\n\n", {"a": "> <b>", "c": "3"}),
        ("> <a>\n\n> <b>\n2\n\n", {"b": "2"}),
        ("> <a>\n1\n\n> <a>\n2\n\n", {"a": "2"}),
    ],
)
def test_values_of_properties(tmp_path: Path, data: str, expected: dict[str, str]) -> None:
    assert _agree(tmp_path, f"{ONE}{data}$$$$\n{REST}")[0] == expected


def test_properties_that_are_not_everywhere(tmp_path: Path) -> None:
    text = f"{ONE}$$$$\n{TWO}> <y>\n5\n\n$$$$\n{THREE}> <z>\n7\n\n$$$$\n"
    found = rows_of(file(tmp_path, "in.sdf", text), EVERY, rows=2)
    assert found.kept == {"y": [None, "5", None], "z": [None, None, "7"]}
    assert rows_of(tmp_path / "in.sdf", Columns(keep=("z",))).kept == {"z": [None, None, "7"]}
    with pytest.raises(InputError, match=r"first 3 .* property 'x'\..* Properties: 'y', 'z'"):
        rows_of(tmp_path / "in.sdf", Columns(keep=("x", "y")))
    many = f"{ONE}$$$$\n" * 300
    with pytest.raises(InputError, match=r"first 100 .* property 'x'\. Properties: none"):
        rows_of(file(tmp_path, "many.sdf", many), Columns(keep=("x",)), rows=50)


def test_a_property_with_a_usual_name_stands_in_for_titles(tmp_path: Path) -> None:
    text = "".join(f"{block}> <ChEMBL ID>\nC{n}\n\n$$$$\n" for n, block in enumerate((ONE, TWO)))
    assert rows_of(file(tmp_path, "in.sdf", text)).ids == ["C0", "C1"]
    assert rows_of(tmp_path / "in.sdf", Columns(id="")).ids == [None, None]
    assert rows_of(file(tmp_path, "in.sdf", f"title{text}")).ids == ["title", None]


def test_a_property_cannot_have_the_name_of_an_own_column(tmp_path: Path) -> None:
    path = file(tmp_path, "in.sdf", f"{ONE}> <valid>\nyes\n\n$$$$\n")
    with pytest.raises(ConfigError, match=r"'valid' cannot be kept.*name the columns to keep one"):
        rows_of(path, EVERY)


# == Bytes, ends, forms


@pytest.mark.parametrize("where", ["title", "comment", "property"])
def test_a_byte_that_is_not_utf8_matters_where_it_is_asked_for(tmp_path: Path, where: str) -> None:
    title, program, comment, *rest = ONE.encode().split(b"\n")
    title += b"\xe9" * (where == "title")
    comment += b"\xe9" * (where == "comment")
    value = b"\xe9t\xe9" if where == "property" else b"summer"
    block = b"\n".join([title, program, comment, *rest])
    path = file(tmp_path, "in.sdf", block + b"> <season>\n" + value + b"\n\n$$$$\n" + REST.encode())
    found = rows_of(path)
    assert found.items == ["CCO", "CCC", "CCN"]
    assert list(found.failures) == ([0] if where == "title" else [])
    kept = rows_of(path, Columns(id="", keep=("season",)))
    assert list(kept.failures) == ([0] if where == "property" else [])
    if where == "property":
        assert kept.failures[0].startswith("not UTF-8: byte 0xe9 at character 0 of the season:")
        assert kept.kept["season"][0] == r"\xe9t\xe9"


@pytest.mark.parametrize("v3000", [False, True])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n> <a>\n1\n\n"])
def test_a_mol_file_is_one_row(tmp_path: Path, end: str, v3000: bool) -> None:
    mol = Chem.MolFromSmiles("c1ccccc1O")
    mol.SetProp("_Name", "phenol")
    block = Chem.MolToMolBlock(mol, forceV3000=v3000).rstrip("\n") + end
    for name in ("in.mol", "in.sdf", "in.MOL"):
        found = rows_of(file(tmp_path, name, block))
        assert (found.items, found.ids) == (["Oc1ccccc1"], ["phenol"])


def test_the_last_record_may_lack_its_dollars(tmp_path: Path) -> None:
    _agree(tmp_path, f"{ONE}$$$$\n{TWO}")
    _agree(tmp_path, f"{ONE}> <a>\n1\n\n$$$$\n{TWO}> <a>\n2\n\n")


def test_a_file_cut_before_the_properties_is_cut(tmp_path: Path) -> None:
    path = file(tmp_path, "in.sdf", f"{ONE}> <a>\n1\n\n$$$$\n{TWO}")
    with pytest.raises(InputError, match="not closed by"):
        rows_of(path)


def test_a_table_called_sdf_is_no_damaged_sd_file(tmp_path: Path) -> None:
    path = file(tmp_path, "in.sdf", "smiles,id\nC,a\nCC,b\nCCC,c\n")
    with pytest.raises(InputError, match=r"line 4 is no counts line .* --input-format"):
        rows_of(path)
