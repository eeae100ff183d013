"""States of atoms: those that the embedding pools, of the atoms that the student reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem

from molkd import teachers
from molkd.items.molecules import graph
from molkd.teachers.graphs.atom_bond_teacher import AtomBondTeacher
from molkd.teachers.graphs.molclr import MolclrTeacher
from molkd.types import NodeTeacher

ITEMS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[N+](C)(C)CC([O-])=O",
    "no molecule",
    "C[C@H](N)C(=O)O",
    r"F/C=C\Cl",
    "[H][H]",
    "[2H]OC",
    "[Na+].[Cl-]",
    "*C",
    "[NH4+].[O-]C(=O)c1ccccc1",
    "[H]C([2H])([3H])Cl",
]
FAILED = [2, 8]
DEUTERATED = [6, 10]
"""A teacher's embedding counts deuterium as an atom; states are of the atoms of a student."""
NAMES = ["hu-gcn-contextpred", "hu-gat-contextpred", "hu-graphsage-supervised", "molclr-gcn"]


@pytest.fixture(scope="module", params=NAMES)
def teacher(request: pytest.FixtureRequest, shared: Path) -> AtomBondTeacher:
    made = teachers.make(request.param, weights_dir=shared / "weights")
    assert isinstance(made, AtomBondTeacher)
    assert isinstance(made, NodeTeacher)
    return made


def test_atoms_are_those_that_the_student_reads(teacher: AtomBondTeacher) -> None:
    found, read = teacher.embed_nodes(ITEMS), graph.featurize(ITEMS)
    assert list(found.failures) == FAILED
    sizes = np.where(np.isin(np.arange(len(ITEMS)), FAILED), 0, read.sizes)
    np.testing.assert_array_equal(found.counts, sizes)
    assert found.values.shape == (sizes.sum(), teacher.node_dim)
    assert found.values.dtype == np.float32
    assert found.failures == teacher.embed(ITEMS).failures


def test_atoms_come_in_the_order_of_the_student(teacher: AtomBondTeacher) -> None:
    """Renumbering a molecule renumbers its states as it does what the student reads."""
    text = "OC(F)(Cl)Br.NCS"
    mol = Chem.MolFromSmiles(text)
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms())
    turned = Chem.RenumberAtoms(mol, order.tolist())
    states, moved = (teacher.embed_nodes([one]).values for one in (mol, turned))
    elements, shifted = (graph.featurize([one]).atoms[:, 0] for one in (mol, turned))
    np.testing.assert_array_equal(elements[order], shifted)
    np.testing.assert_allclose(states[order], moved, rtol=1e-4, atol=1e-4)
    assert np.unique(states.round(3), axis=0).shape == states.shape, "every atom is another"


def test_pooled_atoms_are_the_embedding(teacher: AtomBondTeacher) -> None:
    atoms, rows = teacher.embed_nodes(ITEMS), teacher.embed(ITEMS).values
    for row in set(range(len(ITEMS))) - set(FAILED) - set(DEUTERATED):
        span = slice(atoms.starts[row], atoms.starts[row + 1])
        mean = atoms.values[span].astype(np.float64).mean(axis=0)
        if isinstance(teacher, MolclrTeacher):
            head = teacher._ready().feat_lin
            mean = mean @ head.weight.double().numpy().T + head.bias.double().numpy()
        np.testing.assert_allclose(mean, rows[row], rtol=1e-5, atol=1e-5)


def test_batches_do_not_matter(teacher: AtomBondTeacher) -> None:
    together = teacher.embed_nodes(ITEMS)
    twos = type(teacher)(**{**teacher.get_params(), "batch_size": 2}).embed_nodes(ITEMS)
    np.testing.assert_array_equal(together.starts, twos.starts)
    scale = np.fmax(1, np.abs(together.values))
    assert np.abs((together.values - twos.values) / scale).max() < 1e-4


def test_nothing_gives_no_atoms(teacher: AtomBondTeacher) -> None:
    assert teacher.embed_nodes([]).starts.tolist() == [0]
    none = teacher.embed_nodes(["*"])
    assert none.values.shape == (0, teacher.node_dim)
    assert none.counts.tolist() == [0]


def test_atoms_with_nan_have_failed(
    teacher: AtomBondTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = torch.arange(3.0).repeat_interleave(2)[:, None].repeat(1, teacher.node_dim)
    states[3, 5] = torch.nan
    monkeypatch.setattr(type(teacher), "_atom_states", lambda *_: states.numpy())
    found = teacher.embed_nodes(["CC", "CO", "*", "CN"])
    assert found.counts.tolist() == [2, 0, 0, 2]
    assert found.values[:, 0].tolist() == [0, 0, 2, 2]
    assert found.failures[1] == "the teacher returned NaN or infinity"
    assert list(found.failures) == [1, 2]


def test_networks_are_frozen_wherever_they_are_loaded(teacher: AtomBondTeacher) -> None:
    fresh = type(teacher)(**teacher.get_params())
    with torch.inference_mode():
        fresh.embed(["C"])
    parameters = list(fresh._ready().parameters())
    assert not any(one.requires_grad or one.is_inference() for one in parameters)
