"""Saving and loading students."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.errors import ConfigError, CorruptFileError, WeightsError
from molkd.students import GineSettings, GineStudent
from tests.fakes.vectors import VectorStudent

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    student = students.make(GineSettings(size="tiny", embedding_dim=16), seed=3)
    student.save_pretrained(tmp_path / "student", card="# A card\n")
    return tmp_path / "student"


def test_loading_gives_back_the_same_student(saved: Path):
    original = students.make(GineSettings(size="tiny", embedding_dim=16), seed=3)
    loaded = GineStudent.from_pretrained(saved)
    assert loaded.digest == original.digest
    assert not loaded.training
    one, other = (s.embed(["CCO", "c1ccccc1"]).values for s in (original, loaded))
    np.testing.assert_array_equal(one, other)
    assert (saved / "README.md").read_text() == "# A card\n"


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"no student in folder .*give the folder"):
        students.load(tmp_path / "absent")


def test_a_hub_name_without_a_network(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="none of that name on the Hugging Face hub"):
        students.load("nobody/molkd-nothing")


def test_flipped_bytes_are_refused(saved: Path):
    weights = saved / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CorruptFileError, match="missing, cut or not the file"):
        students.load(saved)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_missing_file_is_named(saved: Path, name: str):
    (saved / name).unlink()
    with pytest.raises(CorruptFileError, match=name):
        students.load(saved)


def test_a_cut_configuration_is_refused(saved: Path):
    config = saved / "config.json"
    config.write_text(config.read_text()[:40])
    with pytest.raises(CorruptFileError, match="cannot read"):
        students.load(saved)


def test_another_kind_of_student_is_refused(saved: Path):
    config = saved / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "kind": "other"}))
    with pytest.raises(CorruptFileError, match="which this molkd does not know"):
        students.load(saved)


def test_a_configuration_without_a_student_is_refused(saved: Path):
    (saved / "config.json").write_text("{}")
    with pytest.raises(CorruptFileError, match="does not describe a molkd student"):
        students.load(saved)


def test_loading_as_another_class_is_refused(saved: Path):
    with pytest.raises(ConfigError, match="a gine student was saved, not a vectors student"):
        VectorStudent.from_pretrained(saved)


def test_a_student_of_another_architecture_is_saved_and_loaded_alike(tmp_path: Path):
    student = VectorStudent(width=5)
    student.save_pretrained(tmp_path)
    assert VectorStudent.from_pretrained(tmp_path).digest == student.digest


def test_a_student_that_the_first_version_saved_is_read() -> None:
    folder = ROOT / "benchmarks" / "results" / "quality" / "student"
    student = students.load(folder)
    assert (student.kind, student.embedding_dim) == ("gine", 512)
    embeddings = student.embed(["CCO", "no molecule"])
    assert embeddings.valid.tolist() == [True, False]
