"""`molkd bench analogues`: from tables and unlabelled molecules to a table and a page."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from typer.testing import CliRunner

from molkd.benchmarks.analogues import records
from molkd.cli import app
from molkd.errors import ConfigError, InputError

CORE = "c1ccc(-c2ccc(-c3ccccc3)cc2)cc1"
ACTIVES = [f"{group}{CORE}" for group in ("C", "CC", "O", "N", "F", "Cl")]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "moleculeace"
    folder.mkdir(parents=True)
    weak = ["C" * length + "S" for length in range(1, 21)]
    labels = [*((text, -1.5) for text in ACTIVES), *((text, -4.0) for text in weak)]
    rows = [f"{text},{y},0,{'train' if at % 5 else 'test'}" for at, (text, y) in enumerate(labels)]
    (folder / "CHEMBL204_Ki.csv").write_text("\n".join(["smiles,y,cliff_mol,split", *rows, ""]))
    return folder.parent


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi.gz"
    chains = ["C" * length + end for length in range(2, 32) for end in "ONF"]
    path.write_bytes(gzip.compress("\n".join([*chains, f"Br{CORE}", "nonsense", ""]).encode()))
    return path


def _bench(tmp_path: Path, *arguments: object) -> tuple[str, str]:
    texts = ["bench", "analogues", *map(str, arguments), "--cache", str(tmp_path / "cache")]
    done = CliRunner().invoke(app, [*texts, "-j", "1"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_a_table_a_page_and_the_records(data: Path, library: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    given = ("-e", "maccs,both=maccs+erg", "-i", library, "--data", data, "-o", output)
    printed, said = _bench(tmp_path, *given, "--decoys", 80, "--neighbours", 10)
    header, *lines = [line.split("\t") for line in printed.splitlines()]
    assert header[:4] == ["embedder", "metric", "dim", "found"]
    assert [line[0] for line in lines] == ["ECFP4", "maccs", "maccs", "both", "both"]
    assert all(float(line[3]) == 1 for line in lines)
    assert "left out, for their tables are not there: moleculeace:chembl1862_ki" in said
    assert "1 series, 6 actives, 1 targets, 80 decoys" in (output / "analogues.md").read_text()
    assert len(records.earlier(output)) == 5
    again, _ = _bench(tmp_path, *given, "--decoys", 80, "--neighbours", 10)
    assert again == printed


def test_what_is_too_little_is_refused(data: Path, library: Path, tmp_path: Path) -> None:
    given = ("-e", "maccs", "-i", library, "--data", data, "-o", tmp_path / "out")
    with pytest.raises(ConfigError, match=r"--decoys 91: only 90 of 92 .*1 unreadable, 1 known"):
        _bench(tmp_path, *given, "--decoys", 91)
    with pytest.raises(InputError, match="no table of moleculeace"):
        _bench(tmp_path, *given[:4], "--data", tmp_path / "absent", "-o", tmp_path / "out")
