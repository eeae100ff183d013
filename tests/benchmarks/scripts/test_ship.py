"""The program that makes a student part of the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.benchmarks.scripts import ship
from molkd.errors import ConfigError, WeightsError
from molkd.students import GineSettings

SETTINGS = GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    student = students.make(SETTINGS).eval()
    student.remember(student.featurize(["CCO"]))
    student.save_pretrained(tmp_path / "run", card="# A molkd student\n\nAbout it.\n")
    (tmp_path / "run" / "metrics.jsonl").write_text("{}\n")
    return tmp_path / "run"


def test_what_embeds_is_copied_and_scores_are_added(source: Path, tmp_path: Path) -> None:
    folder = ship.ship(source, "molkd-nano-3", scores="## Scores\n\nGood.", into=tmp_path / "all")
    assert folder == tmp_path / "all" / "molkd-nano-3"
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["README.md", "config.json", "domain.json", "model.safetensors"]
    card = (folder / "README.md").read_text()
    assert card == "# molkd-nano-3\n\nAbout it.\n\n## Scores\n\nGood.\n"
    one, other = (students.load(place).embed(["CCO"]).values for place in (source, folder))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["molkd-nano", "nano-1", "molkd-nano-x"])
def test_a_name_without_version_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="a name like molkd-small-1"):
        ship.ship(source, name, into=tmp_path)


def test_a_version_is_never_replaced(source: Path, tmp_path: Path) -> None:
    ship.ship(source, "molkd-nano-1", into=tmp_path)
    with pytest.raises(ConfigError, match="give it another version"):
        ship.ship(source, "molkd-nano-1", into=tmp_path)


def test_a_large_student_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship, "MOST", 10)
    with pytest.raises(ConfigError, match="weights_dtype=fp16"):
        ship.ship(source, "molkd-nano-1", into=tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_a_folder_without_student_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WeightsError):
        ship.ship(tmp_path / "none", "molkd-nano-1", into=tmp_path)
    with pytest.raises(SystemExit):
        ship.main([str(tmp_path / "none"), "molkd-nano-1"])
    assert "no student" in capsys.readouterr().err
