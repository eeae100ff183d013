"""The program that makes a student part of the package."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.benchmarks.scripts import ship
from molkd.errors import ConfigError, CorruptFileError, WeightsError
from molkd.information import adaptors
from molkd.objectives import densities
from molkd.objectives.ladder import Ladder
from molkd.objectives.settings import HeadSettings
from molkd.students import GineSettings, shipped
from molkd.students.familiarity import FILE
from molkd.targets.scaling import Scaling

SETTINGS = GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    student = students.make(SETTINGS).eval()
    student.remember(student.featurize(["CCO"]))
    student.save_pretrained(
        tmp_path / "run", card="# A molkd student\n\nload(path/to/this/folder)\n"
    )
    (tmp_path / "run" / "metrics.jsonl").write_text("{}\n")
    return tmp_path / "run"


@pytest.fixture
def adapted(source: Path) -> Path:
    vector = np.ones(3)
    scaling = Scaling(
        support="real",
        kept=np.arange(3),
        log1p=False,
        mean=vector,
        sd=vector,
        components=None,
        scale=None,
        bound=None,
        mean_of_targets=vector,
        filling=vector,
    )
    shape = HeadSettings(head_hidden=4, head_layers=1, head_skip=True)
    head = Ladder(8, (), (), 6, shape, skipped=3)
    bounds = np.full(3, -9, np.float32), np.full(3, 9, np.float32)
    toy = adaptors.Adaptor(head.eval(), densities.make("gaussian"), scaling, *bounds)
    vectors = np.zeros(8, np.float32), np.ones(8, np.float32)
    digest = students.load(source).digest
    adaptors.save(source / adaptors.FOLDER, adaptors.Adaptors(*vectors, {"toy": toy}), digest)
    return source


def test_what_embeds_is_copied_and_scores_are_added(source: Path, tmp_path: Path) -> None:
    folder = ship.ship(source, "molkd-nano-3", scores="## Scores\n\nGood.", into=tmp_path / "all")
    assert folder == tmp_path / "all" / "molkd-nano-3"
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["README.md", "config.json", "domain.json", "model.safetensors"]
    card = (folder / "README.md").read_text()
    assert card == "# molkd-nano-3\n\nload(molkd-nano-3)\n\n## Scores\n\nGood.\n"
    one, other = (students.load(place).embed(["CCO"]).values for place in (source, folder))
    np.testing.assert_array_equal(one, other)


def test_adaptors_are_copied_where_they_are_asked_for(
    adapted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "all")
    ship.ship(adapted, "molkd-nano-1", into=tmp_path / "all")
    folder = ship.ship(adapted, "molkd-nano-2", adaptors=True, into=tmp_path / "all")
    names = sorted(file.name for file in (folder / "adaptors").iterdir())
    assert names == ["adaptors.json", "heads.safetensors", "scaling-0.npz"]
    one, other = (
        students.load(place).predict_teacher(["CCO"], "toy")
        for place in (str(adapted), "molkd-nano")
    )
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.sd, other.sd)
    with pytest.raises(ConfigError, match=r"no adaptors in .*molkd-nano-1"):
        students.load("molkd-nano-1").predict_teacher(["CCO"], "toy")


def test_adaptors_that_are_large_damaged_or_absent_are_refused(
    source: Path, adapted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship, "MOST_OF_ADAPTORS", 1000)
    with pytest.raises(ConfigError, match=r"adaptors have 0.0 MB.*fewer teachers in keep_adaptors"):
        ship.ship(adapted, "molkd-nano-1", adaptors=True, into=tmp_path / "all")
    heads = adapted / adaptors.FOLDER / adaptors.HEADS
    heads.write_bytes(heads.read_bytes()[:-1])
    with pytest.raises(CorruptFileError, match=r"heads\.safetensors"):
        ship.ship(adapted, "molkd-nano-1", adaptors=True, into=tmp_path / "all")
    shutil.rmtree(adapted / adaptors.FOLDER)
    with pytest.raises(ConfigError, match="no adaptors"):
        ship.ship(source, "molkd-nano-1", adaptors=True, into=tmp_path / "all")
    assert not (tmp_path / "all").exists()


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


def test_what_is_familiar_goes_along_if_it_is_the_students(source: Path, tmp_path: Path) -> None:
    student = students.load(source)
    smiles = ["C" * (n % 50 + 1) + "O" for n in range(300)]
    prepared = student.featurize(smiles)
    student.remember_familiar(prepared, student.encode(prepared).values, source)
    folder = ship.ship(source, "molkd-mine-1", into=tmp_path / "shipped")
    assert students.load(folder).familiarity is not None
    changed = (source / FILE).read_bytes()[:-50]
    (source / FILE).write_bytes(changed)
    with pytest.raises(CorruptFileError, match="cannot read"):
        ship.ship(source, "molkd-mine-2", into=tmp_path / "shipped")
