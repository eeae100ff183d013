"""BIMODAL's forward language model gives the numbers of the original code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd.teachers.sequences.bimodal import CHARACTERS, MAX_LENGTH, BimodalTeacher

from . import pretrained


@pytest.fixture(scope="module")
def teacher(shared: Path) -> BimodalTeacher:
    return BimodalTeacher(weights_dir=shared / "weights")


def test_equals_the_original(teacher: BimodalTeacher, shared: Path) -> None:
    pretrained.check_equals_original(teacher, shared, "bimodal_forward_rnn")


def test_characters_are_sorted_and_distinct() -> None:
    assert list(CHARACTERS) == sorted(set(CHARACTERS))
    assert len(CHARACTERS) == 55


def test_batches_do_not_matter(teacher: BimodalTeacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: BimodalTeacher) -> None:
    pretrained.check_travels(teacher)


def test_card_needs_no_weights(tmp_path: Path) -> None:
    assert BimodalTeacher().card.name == "bimodal"
    pretrained.check_card_needs_no_weights(BimodalTeacher(), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(BimodalTeacher(), tmp_path)


def test_length_and_characters_are_refused_with_a_reason(teacher: BimodalTeacher) -> None:
    longest = "C" * MAX_LENGTH
    embedded = teacher.embed([longest, longest + "C", "*C", "N->[Pt]", "[Na+].[Cl-]"])
    assert embedded.valid.tolist() == [True, False, False, False, True]
    assert "201 characters; the model reads at most 200" in embedded.failures[1]
    assert "'*'" in embedded.failures[2]
    assert "'>'" in embedded.failures[3]


def test_stereo_isomers_are_equal(teacher: BimodalTeacher) -> None:
    left, right, trans, cis = teacher.embed(
        ["C[C@H](N)O", "C[C@@H](N)O", "C/C=C/C", "C/C=C\\C"]
    ).values
    np.testing.assert_allclose(left, right, atol=1e-6)
    np.testing.assert_allclose(trans, cis, atol=1e-6)


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: BimodalTeacher) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
