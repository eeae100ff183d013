"""`molkd pick`: subsets, seeds and clusters from a file."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as pc
import pytest

from molkd import cli
from molkd.errors import ConfigError
from tests.fakes import libraries


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return libraries.embedded(tmp_path_factory.mktemp("pick"))


def _pick(*arguments: object) -> None:
    cli.app(["pick", *map(str, arguments), "-j", "1"], standalone_mode=False)


def test_picks_are_written_in_order(file: Path, tmp_path: Path, capsys) -> None:
    _pick(file, "-n", 5, "-o", tmp_path / "picked.csv")
    table = pc.read_csv(tmp_path / "picked.csv")
    assert table["pick"].to_pylist() == [1, 2, 3, 4, 5]
    assert len(set(table["smiles"].to_pylist())) == 5
    said = capsys.readouterr().err
    assert "1 of 40 molecules have no embedding" in said
    assert f"5 molecules: {tmp_path / 'picked.csv'}" in said


def test_seeds_are_not_picked_again(file: Path, tmp_path: Path) -> None:
    (tmp_path / "seeds.smi").write_text("\n".join(libraries.SMILES[:20]) + "\n")
    _pick(file, "-n", 30, "--around", tmp_path / "seeds.smi", "-o", tmp_path / "picked.csv")
    found = pc.read_csv(tmp_path / "picked.csv")["smiles"].to_pylist()
    assert set(found) == set(libraries.SMILES[20:])


def test_clusters_label_all_rows(file: Path, tmp_path: Path, capsys) -> None:
    _pick(file, "--clusters", 4, "-o", tmp_path / "clusters.csv")
    table = pc.read_csv(tmp_path / "clusters.csv")
    assert table.num_rows == 40
    assert "SMILES" in table["error"][3].as_py()
    assert table["cluster"].null_count == 1
    assert "4 clusters of 39 molecules" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="leave -n and --around out"):
        _pick(file, "--clusters", 4, "-n", 3, "-o", tmp_path / "both.csv")


def test_medoids_can_be_drawn(file: Path, tmp_path: Path) -> None:
    _pick(file, "-n", 3, "--method", "kmedoids", "-o", tmp_path / "picked.html")
    assert (tmp_path / "picked.html").read_text().count("<svg") == 3


def test_no_molecule_is_no_number(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="n must be at least 1, not 0"):
        _pick(file, "-n", 0, "-o", tmp_path / "picked.csv")
