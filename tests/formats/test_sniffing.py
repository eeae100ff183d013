"""Tables and SMILES files whose delimiter, header or order of columns is not the usual one."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.errors import ConfigError, InputError
from molkd.formats.columns import Columns
from molkd.items import TEXTS
from tests.formats.rows import file, rows_of

GOOD = [("m1", "CCO"), ("m2", "c1ccccc1"), ("m3", "CC(=O)O")]


def _table(separator: str, *names: str, first: int = 0, quote: str = "") -> str:
    lines = [names, *(row if first == 0 else row[::-1] for row in GOOD)]
    cells = [[f"{quote}{cell}{quote}" for cell in line] for line in lines if line]
    return "\n".join(separator.join(line) for line in cells) + "\n"


# == Delimiters


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("name", ["in.csv", "in.tsv", "in.smi"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_delimiter_under_any_name(
    tmp_path: Path, separator: str, name: str, quote: str
) -> None:
    found = rows_of(file(tmp_path, name, _table(separator, "ID", "Smiles", quote=quote)))
    assert (found.ids, found.items) == (["m1", "m2", "m3"], [smiles for _, smiles in GOOD])
    assert found.failures == {}


def test_a_delimiter_is_sniffed_for_chosen_columns_too(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", "code;structure;y,z\na;CCO;1,5\n")
    found = rows_of(path, Columns("structure", "code", keep=("y,z",)))
    assert (found.ids, found.items, found.kept) == (["a"], ["CCO"], {"y,z": ["1,5"]})
    found = rows_of(file(tmp_path, "in.smi", "code,structure\na,CCO\n"), Columns("structure"))
    assert found.items == ["CCO"]


def test_the_own_delimiter_goes_first(tmp_path: Path) -> None:
    found = rows_of(file(tmp_path, "in.csv", "smiles,a;smiles\nC,x;N\n"))
    assert found.items == ["C"]
    with pytest.raises(InputError, match=r"no column with a usual name.*Columns: 'a;b', 'c'\."):
        rows_of(file(tmp_path, "in.csv", "a;b,c\n1;2,3\n"))


@pytest.mark.parametrize("first", ["sep=^", '"sep=^"', "SEP=^\r"])
@pytest.mark.parametrize("name", ["in.csv", "in.tsv"])
def test_a_line_for_spreadsheets_says_the_delimiter(tmp_path: Path, first: str, name: str) -> None:
    path = file(tmp_path, name, f"{first}\nname^smiles\nm1^CCO\nm2^C^N\n")
    found = rows_of(path)
    assert (found.ids, found.items) == (["m1", None], ["CCO", None])
    assert found.failures == {1: "3 fields where the header has 2 (line 4)"}
    with pytest.raises(InputError, match="line 3: "):
        rows_of(file(tmp_path, "in.csv", 'sep=,\nname,smiles\nm1,"C"C\n'))
    (alone,) = rows_of(file(tmp_path, "in.csv", "smiles\nsep=;\n")).items
    assert alone == "sep=;"


def test_texts_come_with_semicolons_as_well(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", "doc_id;text\n7;one, two\n")
    found = rows_of(path, Columns(style=TEXTS.style))
    assert (found.ids, found.items) == (["7"], ["one, two"])


# == Headers and orders of .smi


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("canonical_smiles name\nCCO a\nC b c\n", ["a", "b c"]),
        ("#SMILES name\nCCO a\nC b c\n", ["a", "b c"]),
        ("# smiles name\nCCO a\nC b c\n", ["a", "b c"]),
        ('"smiles" "name"\nCCO a\nC b c\n', ["a", "b c"]),
        ("smiles\nCCO a\nC b c\n", ["a", "b c"]),
        ("smiles\tname\nCCO\ta\nC\tb c\n", ["a", "b c"]),
        ("smiles\tname\tzinc_id\nCCO\tx\ta\nC\ty\tb c\n", ["a", "b c"]),
        ("name smiles\na CCO\nb C\n", ["a", "b"]),
        ("name\tsmiles\na\tCCO\nb c\tC\n", ["a", "b c"]),
        ("logp smiles mol_id\n1 CCO a\n2 C b\n", ["a", "b"]),
        ("logp smiles code\n1 CCO a\n2 C b\n", ["1", "2"]),
    ],
)
def test_a_header_says_where_the_smiles_are(tmp_path: Path, text: str, ids: list[str]) -> None:
    found = rows_of(file(tmp_path, "in.smi", text))
    assert (found.items, found.ids, found.failures) == (["CCO", "C"], ids, {})


def test_names_of_more_words_than_the_header_cost_their_row(tmp_path: Path) -> None:
    found = rows_of(file(tmp_path, "in.smi", "name smiles\nacetic acid CC(=O)O\nb C\n"))
    assert found.items == [None, "C"]
    assert found.failures == {0: "3 words where the header has 2"}


def test_a_first_molecule_called_smiles_is_no_header(tmp_path: Path) -> None:
    assert rows_of(file(tmp_path, "in.smi", "C smiles\nN a\n")).items == ["C", "N"]
    assert rows_of(file(tmp_path, "in.smi", "C\tsmiles\nN\ta\n")).items == ["C", "N"]


@pytest.mark.parametrize("header", ["", "Name Structure\n"])
@pytest.mark.parametrize("count", [2, 3, 250])
def test_smiles_behind_names_are_refused(tmp_path: Path, count: int, header: str) -> None:
    lines = [f"mol{row} {'C' * (1 + row % 9)}O x" for row in range(count)]
    path = file(tmp_path, "in.smi", header + "\n".join(lines))
    with pytest.raises(InputError, match=r"in\.smi: .* nearly all words 2 are\. .*'id smiles'"):
        rows_of(path)
    named = rows_of(file(tmp_path, "in.smi", "id smiles tail\n" + "\n".join(lines)))
    assert named.ids == [f"mol{row}" for row in range(count)]


@pytest.mark.parametrize(("separator", "column"), [(",", 2), (";", 1), ("|", 2)])
def test_a_table_without_header_is_refused(tmp_path: Path, separator: str, column: int) -> None:
    path = file(tmp_path, "in.smi", _table(separator, first=2 - column))
    with pytest.raises(InputError, match=rf"'smiles' for column {column}, and give --input-format"):
        rows_of(path)


@pytest.mark.parametrize(
    "lines",
    [
        ["bad molecule"],
        ["xx1 C", "C1CC N", "CC CCO"],  # the last one is a SMILES
        ["C(C)(C)(C)(C)C CC"] * 20,  # chemically impossible, but written as SMILES
        [f"CC({row} name{row}" for row in range(200)],
        ["CC(=O", "c1cc", "C(("],
        ["q,x,y d"] * 5,
    ],
)
def test_bad_smiles_are_rows_and_no_other_order(tmp_path: Path, lines: list[str]) -> None:
    found = rows_of(file(tmp_path, "in.smi", "\n".join(lines)))
    assert found.items == [line.split()[0] for line in lines]


def test_a_file_of_wrong_smiles_and_right_names_has_a_way_out(tmp_path: Path) -> None:
    text = "C1CC CCC\nCC( CC\n"
    with pytest.raises(InputError, match="'smiles name' if the first words are meant as SMILES"):
        rows_of(file(tmp_path, "in.smi", text))
    assert rows_of(file(tmp_path, "in.smi", "smiles name\n" + text)).items == ["C1CC", "CC("]


def test_columns_can_be_chosen_in_a_table_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave out --keep"):
        rows_of(file(tmp_path, "in.smi", "smiles y\nC 1\n"), Columns(keep=("y",)))


# == CXSMILES


@pytest.mark.parametrize(
    ("line", "item", "name"),
    [
        ("N[Fe] |C:0.0| a", "N[Fe] |C:0.0|", "a"),
        ("N[Fe]\t|C:0.0|\ta b", "N[Fe] |C:0.0|", "a b"),
        ("C[CH]C |^1:1|", "C[CH]C |^1:1|", None),
        ("CC |$R1;two words$, atomProp:0.p.v| x|y|", "CC |$R1;two words$, atomProp:0.p.v|", "x|y|"),
        ("CC |a", "CC", "|a"),
        ("CC a |b|", "CC", "a |b|"),
        ("CC a", "CC", "a"),
    ],
)
def test_a_block_in_bars_belongs_to_the_molecule(
    tmp_path: Path, line: str, item: str, name: str | None
) -> None:
    found = rows_of(file(tmp_path, "in.smi", f"{line}\n"))
    assert (found.items, found.ids) == ([item], [name])


def test_text_behind_a_smiles_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", 'smiles\nC C O\n"C\nN"\nCCO |w:1.0| x\n')
    assert rows_of(path).items == ["C C O", "C\nN", "CCO |w:1.0| x"]
