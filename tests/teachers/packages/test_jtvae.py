"""The graph encoder of the junction tree autoencoder gives the numbers of the original code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd.teachers.packages.jtvae import JunctionTreeTeacher
from tests.teachers import pretrained
from tests.teachers.packages import originals


@pytest.fixture(scope="module")
def teacher() -> JunctionTreeTeacher:
    teacher = JunctionTreeTeacher()
    originals.needs_package(teacher)
    return teacher


def test_equals_the_original(teacher: JunctionTreeTeacher) -> None:
    originals.check_equals_original(teacher)


def test_batches_do_not_matter(teacher: JunctionTreeTeacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: JunctionTreeTeacher) -> None:
    pretrained.check_travels(teacher.set_params(on_invalid="null"))


def test_card_needs_no_weights(tmp_path: Path) -> None:
    assert JunctionTreeTeacher().card.name == "jtvae"
    pretrained.check_card_needs_no_weights(JunctionTreeTeacher(), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(JunctionTreeTeacher(), tmp_path)


def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals.check_missing_package_is_named(
        JunctionTreeTeacher(), "pip install jtnnencoder==0.1", tmp_path, monkeypatch
    )


def test_single_atoms_embed_and_unknown_ones_have_a_reason(teacher: JunctionTreeTeacher) -> None:
    items = ["[Cl-]", "[Na+].[Cl-]", "[H][H]", "*C", "[He]", "C[Pt](C)(C)C", "C"]
    embedded = teacher.embed(items)
    assert embedded.valid.tolist() == [True, True, True, False, False, False, True]
    assert embedded.failures[3] == "elements unknown to the model: *"
    assert embedded.failures[5] == "elements unknown to the model: Pt"


def test_unusual_degrees_and_charges_embed(teacher: JunctionTreeTeacher) -> None:
    items = ["FS(F)(F)(F)(F)F", "F[Fe](F)(F)(F)(F)(F)F", "[Fe+3]", "[Fe]"]
    values = teacher.embed(items).values
    assert np.isfinite(values).all()
    # A charge of three counts as none.
    np.testing.assert_allclose(values[2], values[3], atol=1e-6)


def test_stereo_matters(teacher: JunctionTreeTeacher) -> None:
    left, right, cis, trans = teacher.transform(
        ["C[C@H](N)O", "C[C@@H](N)O", "C/C=C/C", r"C/C=C\C"]
    )
    assert abs(left - right).max() > 1e-3
    assert abs(cis - trans).max() > 1e-3


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: JunctionTreeTeacher) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
