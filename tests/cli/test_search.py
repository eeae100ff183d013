"""`molkd search`: tables and pages of neighbours; indexes are made, used, or refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as pc
import pytest

from molkd import cli
from molkd.cli.search import SHOWN
from molkd.errors import ConfigError, InputError, OutputError
from tests.fakes import libraries


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return libraries.embedded(tmp_path_factory.mktemp("search"))


def _search(*arguments: object) -> None:
    cli.app(["search", *map(str, arguments), "-j", "1"], standalone_mode=False)


def test_an_index_is_made_then_used_and_searched_alone(file: Path, tmp_path: Path, capsys) -> None:
    asked = ("-q", "CCO", "-q", "c1ccccc1", "-k", "2")
    _search(file, *asked, "-o", tmp_path / "exact.csv")
    _search(file, *asked, "--index", tmp_path / "index", "-o", tmp_path / "made.csv")
    said = capsys.readouterr().err
    for what in ("recall@10", "built in", "MB of memory", "ms of processor time", "4 neighbours"):
        assert what in said
    _search(file, *asked, "--index", tmp_path / "index", "-o", tmp_path / "used.csv")
    assert "built" not in capsys.readouterr().err
    _search(tmp_path / "index", *asked, "-o", tmp_path / "alone.csv")
    names = ("exact", "made", "used", "alone")
    tables = [pc.read_csv(tmp_path / f"{name}.csv") for name in names]
    assert tables[0].num_rows == 4
    assert {str(table["row"].to_pylist()) for table in tables} == {
        str(tables[0]["row"].to_pylist())
    }


def test_an_index_of_another_library_is_refused(file: Path, tmp_path: Path) -> None:
    asked = ("-q", "CCO", "--index", tmp_path / "index")
    _search(file, *asked, "-o", tmp_path / "one.csv")
    other = libraries.embedded(tmp_path, rows=41)
    with pytest.raises(InputError, match=r"the library has digest .* that of the index"):
        _search(other, *asked, "-o", tmp_path / "other.csv")
    assert not (tmp_path / "other.csv").exists()


def test_molecules_are_embedded_first_and_once(tmp_path: Path, capsys) -> None:
    source = tmp_path / "library.smi"
    source.write_text("\n".join(libraries.SMILES) + "\n")
    for name in ("one.html", "two.csv"):
        _search(source, "-q", "CCO", "-m", "molkd-tiny", "-o", tmp_path / name)
    assert (tmp_path / "library.smi.molkd-tiny-1.parquet").exists()
    assert "<svg" in (tmp_path / "one.html").read_text()
    assert pc.read_csv(tmp_path / "two.csv")["smiles"][0].as_py() == "CCO"


def test_what_cannot_be_asked_is_refused(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "hits.csv"
    with pytest.raises(ConfigError, match="-q SMILES, or --queries FILE"):
        _search(file, "-o", output)
    with pytest.raises(ConfigError, match="-q SMILES, or --queries FILE"):
        _search(file, "-o", output, "-q", "C", "--queries", "queries.smi")
    with pytest.raises(ConfigError, match="written as"):
        _search(file, "-o", tmp_path / "hits.sdf", "-q", "C")
    output.write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        _search(file, "-o", output, "-q", "C")
    _search(file, "-o", output, "-q", "xx", "--overwrite")
    assert "SMILES" in pc.read_csv(output)["error"][0].as_py()


def test_neighbours_are_printed_where_no_file_is_named(file: Path, capsys) -> None:
    _search(file, "-q", "CCO", "-q", "no molecule", "-k", "2")
    said = capsys.readouterr()
    head, *lines = said.out.splitlines()
    assert head.split("\t") == list(SHOWN)
    assert [line.split("\t")[1] for line in lines] == ["1", "2"]
    query, _, name, smiles, cosine, tanimoto = lines[0].split("\t")
    assert (query, name, smiles, cosine, tanimoto) == ("0", "M0", "CCO", "1.000", "1.00")
    assert "1 of 2 queries have no embedding" in said.err
