"""`molkd teachers noise`: a table, JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from molkd import cli
from molkd.errors import ConfigError

SMILES = ["CCO", "CCCN", "CCCCO", "c1ccccc1", "CC(C)O", "CCOC", "CC#N", "CSC", "CCF", "C1CCNC1"]


def _noise(shared: Path, *arguments: object) -> None:
    texts = ["teachers", "noise", "--weights-dir", str(shared / "weights"), *map(str, arguments)]
    cli.app(texts, standalone_mode=False)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi"
    path.write_text("\n".join([*SMILES, "CBr"]) + "\n")
    return path


def test_a_table(shared: Path, library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _noise(shared, "ani-2x", "-i", library, "--draws", 2)
    printed = capsys.readouterr()
    header, row = (line.split("\t") for line in printed.out.splitlines())
    assert header[:4] == ["teacher", "conformers", "dims", "whole"]
    assert row[:2] == ["ani-2x", "1"]
    assert all(0 <= float(share) < 1 for share in row[3:7])
    assert row[7] == "1", "bromine"
    assert "11 different molecules" in printed.err


def test_averages_have_less_noise(
    shared: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares: list[float] = []
    for conformers in (1, 4):
        _noise(shared, "ani-2x", "-i", library, "--conformers", conformers, "--json")
        about = json.loads(capsys.readouterr().out)["ani-2x"]
        assert about["conformers"] == conformers
        assert about["draws"] == 5
        assert about["per_second"] > 0
        shares.append(about["mean"])
    assert 0 < shares[1] < shares[0] / 2


def test_only_teachers_of_conformers_have_noise(shared: Path) -> None:
    with pytest.raises(ConfigError, match="maccs reads no conformers"):
        _noise(shared, "ani-2x,maccs")
