"""The encoder of chemical_vae gives the numbers of the original code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from molkd.teachers.base.weights import WeightsError
from molkd.teachers.sequences.chemical_vae import (
    CHARACTERS,
    MAX_LENGTH,
    WEIGHTS,
    ChemicalVaeTeacher,
)

from . import pretrained


@pytest.fixture(scope="module")
def teacher(shared: Path) -> ChemicalVaeTeacher:
    return ChemicalVaeTeacher(weights_dir=shared / "weights")


def test_equals_the_original(teacher: ChemicalVaeTeacher, shared: Path) -> None:
    pretrained.check_equals_original(teacher, shared, "chemical_vae_zinc_properties")


def test_characters_are_the_published_ones(shared: Path) -> None:
    published = shared / "weights" / "chemical-vae" / "characters.json"
    assert list(CHARACTERS) == json.loads(published.read_text(encoding="utf-8"))


def test_batches_do_not_matter(teacher: ChemicalVaeTeacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: ChemicalVaeTeacher) -> None:
    pretrained.check_travels(teacher.set_params(on_invalid="null"))


def test_card_needs_no_weights(tmp_path: Path) -> None:
    assert ChemicalVaeTeacher().card.name == "chemical-vae"
    pretrained.check_card_needs_no_weights(ChemicalVaeTeacher(), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(ChemicalVaeTeacher(), tmp_path)


def test_missing_weights_say_that_they_are_hosted_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    with pytest.raises(WeightsError, match=f"hosted nowhere.*{WEIGHTS.path}"):
        ChemicalVaeTeacher().embed(["C"])


def test_length_and_characters_are_refused_with_a_reason(teacher: ChemicalVaeTeacher) -> None:
    longest = "C" * MAX_LENGTH
    embedded = teacher.embed([longest, longest + "C", "CCN.O", "[SiH4]", "*C", "OCC"])
    assert embedded.valid.tolist() == [True, False, False, False, False, True]
    assert "121 characters; the model reads at most 120" in embedded.failures[1]
    assert "CCN.O has '.'" in embedded.failures[2]
    assert "'i'" in embedded.failures[3]
    assert "'*'" in embedded.failures[4]


def test_spelling_does_not_matter_but_stereo_does(teacher: ChemicalVaeTeacher) -> None:
    one, two, left, right = teacher.embed(["OCC", "CCO", "C[C@H](N)O", "C[C@@H](N)O"]).values
    assert (one == two).all()
    assert abs(left - right).max() > 0.01


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: ChemicalVaeTeacher) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
