"""Saving and loading students."""

from __future__ import annotations

import hashlib
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 10**9}, r"layers must lie in \[1, 1000\]"),
        ({"hidden": 10**7}, "the weights of .* are not those of its configuration"),
        ({"hidden": "8"}, "hidden: expected an integer"),
        ({"heads": 2}, "does not describe a gine student .*heads"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_at_once(
    saved: Path, change: dict[str, object], message: str
):
    config = json.loads((saved / "config.json").read_text())
    config["config"] |= change
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises((ConfigError, CorruptFileError), match=message):
        students.load(saved)


@pytest.mark.parametrize("content", [b"", b"\x05" + b"\0" * 7 + b'{"a":', b"\xff" * 16])
def test_weights_of_another_format_are_named(saved: Path, content: bytes):
    (saved / "model.safetensors").write_bytes(content)
    config = json.loads((saved / "config.json").read_text())
    config["sha256"] = hashlib.sha256(content).hexdigest()
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(CorruptFileError, match=r"model\.safetensors is cut or no safetensors file"):
        students.load(saved)


@pytest.mark.parametrize("listed", [["a"], {"a\0b": ""}, {"../x": ""}])
def test_listed_files_that_cannot_be(saved: Path, listed: object):
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**config, "files": listed}))
    with pytest.raises(CorruptFileError, match=r"lists no files|is missing"):
        students.load(saved)
