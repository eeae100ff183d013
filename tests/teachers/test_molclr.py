"""MolCLR's network gives the numbers of the original code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from molkd.teachers.graphs.molclr import NEGLIGIBLE, MolclrTeacher, flushed

from . import pretrained


@pytest.fixture(scope="module")
def teacher(shared: Path) -> MolclrTeacher:
    return MolclrTeacher(weights_dir=shared / "weights")


def test_equals_the_original(teacher: MolclrTeacher, shared: Path) -> None:
    pretrained.check_equals_original(teacher, shared, "molclr_gcn")


def test_batches_do_not_matter(teacher: MolclrTeacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: MolclrTeacher) -> None:
    pretrained.check_travels(teacher)


def test_card_needs_no_weights(tmp_path: Path) -> None:
    assert MolclrTeacher().card.name == "molclr-gcn"
    pretrained.check_card_needs_no_weights(MolclrTeacher(), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(MolclrTeacher(), tmp_path)


def test_dummy_atoms_and_dative_bonds_are_refused(teacher: MolclrTeacher) -> None:
    embedded = teacher.embed(["*C", "CC", "N->[Pt]"])
    assert embedded.valid.tolist() == [False, True, False]
    assert "atom 0 (*)" in embedded.failures[0]
    assert "DATIVE" in embedded.failures[2]


def test_enantiomers_are_nearly_equal(teacher: MolclrTeacher) -> None:
    left, right, other = teacher.embed(["C[C@H](N)O", "C[C@@H](N)O", "CC(N)=O"]).values
    assert np.abs(left - right).max() < 0.01 * np.abs(left - other).max()


def test_only_negligible_weights_are_set_to_zero() -> None:
    weights = torch.tensor([1.0, -1e-40, 1e-21, -2 * NEGLIGIBLE, 0.0])
    assert flushed(weights).tolist() == torch.tensor([1.0, 0, 0, -2 * NEGLIGIBLE, 0]).tolist()
    assert flushed(torch.tensor(3)).item() == 3
