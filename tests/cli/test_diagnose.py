"""`molkd bench diagnose`: tables, JSON, banks, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from molkd import bank as banks
from molkd import cli, students, teachers
from molkd.benchmarks import diagnostics
from molkd.benchmarks.embedders.pixels import Pixels
from molkd.errors import ConfigError, UnknownNameError
from molkd.students import GineSettings

SMILES = [f"{'C' * n}{middle}{tail}"
          for n in range(1, 6)
          for middle in ("O", "N", "C(=O)")
          for tail in ("C", "CO", "CCl", "C(F)F", "CC#N")]  # fmt: skip


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "_STEPS", 20)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "student"
    students.make(GineSettings(size="tiny"), seed=5).save_pretrained(folder)
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi"
    path.write_text("\n".join([*SMILES, "nonsense"]) + "\n")
    return path


def _diagnose(*arguments: object) -> None:
    texts = ["bench", "diagnose", *map(str, arguments), "-j", "1"]
    cli.app(texts, standalone_mode=False)


def test_a_table_with_a_line_for_each_teacher(model, library, capsys):
    _diagnose("-m", model, "-t", "maccs,ecfp4-count", "-i", library)
    captured = capsys.readouterr()
    table, said = captured.out.split("\n\n")
    header, *rows = [line.split("\t") for line in table.splitlines()]
    assert header[:5] == ["teacher", "linear R2", "mutual information", "CKA", "neighbours"]
    assert header[5:] == ["R2 untrained", "CKA untrained", "neighbours untrained"]
    assert [row[0] for row in rows] == ["maccs", "ecfp4-count"]
    assert all(len(row) == 8 for row in rows)
    assert "of its 128 dimensions" in said
    assert "75 different molecules of 76 rows (1 unreadable, 0 repeated)" in captured.err


def test_the_teachers_are_those_of_the_student_unless_they_are_named(model, library, capsys):
    with pytest.raises(ConfigError, match=r"name the teachers with --teachers: .*settings.toml"):
        _diagnose("-m", model, "-i", library)
    (model / "settings.toml").write_text('teachers = ["maccs"]\n')
    _diagnose("-m", model, "-i", library, "--no-untrained")
    header, line = [line.split("\t") for line in capsys.readouterr().out.splitlines()[:2]]
    assert len(header) == 5
    assert line[0] == "maccs"


def test_a_bank_is_read_as_it_is_where_no_file_is_given(model, tmp_path, capsys):
    made = [teachers.make(name) for name in ("maccs", "ecfp4")]
    banks.build(tmp_path / "bank", [*SMILES, "nonsense"], made, progress=False)
    _diagnose("-m", model, "--bank", tmp_path / "bank", "--json")
    captured = capsys.readouterr()
    said = json.loads(captured.out, parse_constant=pytest.fail)
    assert set(said["trained"]) == set(said["untrained"]) == {"maccs", "ecfp4"}
    assert set(said["mutual_information"]) == {"maccs", "ecfp4"}
    assert (said["items"], said["compared"]) == (76, 75)
    assert said["student"]["failed"] == 1
    assert "the figures flatter it" in captured.err
    _diagnose("-m", model, "--bank", tmp_path / "bank", "-t", "maccs", "--sample", 60, "--json")
    said = json.loads(capsys.readouterr().out)
    assert set(said["trained"]) == {"maccs"}
    assert said["items"] == 60


def test_the_same_seed_gives_the_same_figures(model, library, capsys):
    found = []
    for seed in (0, 0, 1):
        _diagnose("-m", model, "-t", "maccs", "-i", library, "--json", "--seed", seed)
        found.append(capsys.readouterr().out)
    assert found[0] == found[1] != found[2]


def test_an_unknown_teacher_is_refused(model, library):
    with pytest.raises(UnknownNameError, match=r"Did you mean .*'maccs'"):
        _diagnose("-m", model, "-t", "macs", "-i", library)


def test_a_student_of_texts_is_diagnosed_on_texts(tmp_path, capsys):
    texts = [f"{'very ' * n}{word} {end}" for n in range(5)
             for word in ("acid", "base", "salt", "ether")
             for end in ("in water", "in oil", "dry", "cold")]  # fmt: skip
    path, folder = tmp_path / "texts.txt", tmp_path / "student"
    path.write_text("\n".join(texts))
    students.make(students.sized("static-small"), items=texts).save_pretrained(folder)
    _diagnose("-m", folder, "-t", "hashed-ngrams", "-i", path, "--json")
    captured = capsys.readouterr()
    said = json.loads(captured.out, parse_constant=pytest.fail)
    assert list(said["trained"]) == ["hashed-ngrams"]
    assert said["items"] == len(texts)
    assert "80 different texts of 80 rows" in captured.err


def test_a_bank_of_images_is_not_enough_to_diagnose(tmp_path):
    folder = tmp_path / "student"
    students.make(students.sized("vit-tiny")).save_pretrained(folder)
    keys = ["0" * 64, "1" * 64]
    pictures = [np.full((4, 4, 3), grey, np.uint8) for grey in (0, 9)]
    banks.build(tmp_path / "bank", pictures, [Pixels(2)], keys=keys, progress=False)
    with pytest.raises(ConfigError, match="does not hold the images themselves"):
        _diagnose("-m", folder, "--bank", tmp_path / "bank")
