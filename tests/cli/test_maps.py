"""`molkd map`: a file in, a page, a figure and a table out."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as pc
import pytest

from molkd import cli
from molkd.errors import ConfigError, InputError, OutputError

MOLECULES = "smiles,id,pIC50\nCCO,A,5\nc1ccccc1O,B,6\nxx,C,7\nCCN,D,4.5\nCCCC,E,\nO,F,3\n"


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "few.csv"
    path.write_text(MOLECULES)
    return path


def _map(*words: object) -> None:
    command = ["map", *map(str, words), "--model", "molkd-tiny", "--jobs", "1"]
    cli.app(command, standalone_mode=False)


def test_one_command_draws_a_map_of_molecules_and_again_from_its_table(
    tmp_path: Path, molecules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = [tmp_path / f"map.{kind}" for kind in ("html", "png", "csv")]
    _map(molecules, *(word for path in outputs for word in ("-o", path)), "--color", "pIC50")
    said = capsys.readouterr().err
    assert "UMAP needs 10 embeddings, there are 5" in said
    assert "1 row is not drawn: row 2, SMILES syntax error" in said
    assert all(path.stat().st_size for path in outputs)
    assert "few.csv" in outputs[0].read_text()
    table = pc.read_csv(outputs[2])
    assert table.column_names == ["id", "smiles", "x", "y", "pIC50"]
    (tmp_path / "chosen").write_text("B\n")
    again = ["--coordinates", outputs[2], "--select", tmp_path / "chosen", "--no-drawings"]
    (embeddings,) = tmp_path.glob("few.csv.*.parquet")
    _map(embeddings, "-o", tmp_path / "again.html", *again)
    assert '"selected": [1]' in (tmp_path / "again.html").read_text()


def test_what_cannot_be_done_is_refused_before_anything_is_computed(
    tmp_path: Path, molecules: Path
) -> None:
    with pytest.raises(ConfigError, match=r"map\.svg: this is written as \.html"):
        _map(molecules, "-o", tmp_path / "map.svg")
    with pytest.raises(InputError, match="cannot read"):
        _map(molecules, "-o", tmp_path / "map.html", "--select", tmp_path / "none")
    assert {path.name for path in tmp_path.iterdir()} == {"few.csv"}


@pytest.mark.parametrize(
    "command",
    [
        ("map", "-o", "few.csv"),
        ("check", "-o", "few.csv"),
        ("pick", "-n", "2", "-o", "few.csv"),
        ("search", "--queries", "few.csv", "-o", "few.csv"),
        ("predict", "few.csv", "-t", "pIC50", "-o", "few.csv", "--library"),
        ("map", "--coordinates", "places.csv", "-o", "places.csv"),
    ],
)
def test_no_command_writes_over_what_it_reads(
    tmp_path: Path, molecules: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "places.csv").write_text("id,smiles,x,y\nA,CCO,0,0\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigError, match="is what the command reads: give the output another"):
        cli.app([*command, molecules.name, "--overwrite"], standalone_mode=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_map_that_is_there_stays(tmp_path: Path, molecules: Path) -> None:
    (tmp_path / "map.html").touch()
    with pytest.raises(OutputError, match="exists: give --overwrite"):
        _map(molecules, "-o", tmp_path / "map.html")


@pytest.mark.parametrize(
    "command",
    [
        ("map", "-o", "out.csv"),
        ("check", "-o", "out.csv"),
        ("pick", "-n", "2", "-o", "out.csv"),
        ("search", "-q", "CCO", "-o", "out.csv"),
        ("report", "-o", "out.html"),
    ],
)
def test_every_command_takes_the_column_that_it_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.csv").write_text("name,Structure\n" + "a,CCO\nb,CCN\nc,c1ccccc1\n" * 4)
    options = ["few.csv", "--model", "molkd-tiny", "--jobs", "1"]
    with pytest.raises(InputError, match="choose one with --column"):
        cli.app([*command, *options], standalone_mode=False)
    layout = ["--layout", "pca"] if command[0] == "map" else []
    cli.app([*command, *options, *layout, "--column", "Structure"], standalone_mode=False)
    assert Path(command[-1]).stat().st_size
