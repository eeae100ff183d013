"""The molecular student: invariances, sensitivities, options."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from molkd import students
from molkd.errors import ConfigError, UnknownNameError
from molkd.items.molecules.graph import featurize
from molkd.students import GineConfig, GineSettings, GineStudent

SMILES = [
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "C",
    "[Na+].[Cl-]",
    "CN1CCC[C@H]1c1cccnc1",
    "F/C=C/F",
    "O",
    "CC(=O)Oc1ccccc1C(=O)O",
    "C1CCCCC1.OC(=O)C",
]


@pytest.fixture(scope="module")
def student() -> GineStudent:
    return students.make(GineSettings(size="tiny"), seed=1).eval()


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_order_and_size_of_batches_do_not_matter(student: GineStudent, random):
    expected = student.embed(SMILES).values
    order = list(range(len(SMILES)))
    random.shuffle(order)
    size = random.randint(1, len(SMILES))
    found = student.embed([SMILES[i] for i in order], batch_size=size).values
    np.testing.assert_allclose(found, expected[order], atol=1e-5)


@pytest.mark.parametrize("smiles", SMILES)
def test_the_order_of_atoms_does_not_matter(student: GineStudent, smiles: str):
    mol = Chem.MolFromSmiles(smiles)
    shuffled = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    others = [Chem.RenumberAtoms(mol, shuffled), Chem.MolToSmiles(mol, doRandom=True)]
    values = student.embed([mol, *others]).values
    np.testing.assert_allclose(values[1:], values[[0, 0]], atol=1e-5)


@pytest.mark.parametrize("readout", ["mean", "sum", "mean+sum", "attention"])
def test_stereoisomers_differ_with_every_readout(readout):
    settings = GineSettings(size="tiny", readout=readout)
    values = (
        students.make(settings)
        .embed(["N[C@@H](C)C(=O)O", "N[C@H](C)C(=O)O", "F/C=C/F", "F/C=C\\F"])
        .values
    )
    assert np.abs(values[0] - values[1]).max() > 1e-3
    assert np.abs(values[2] - values[3]).max() > 1e-3


def test_only_readouts_with_a_sum_see_the_size():
    # Rings of equal atoms: the mean of the states cannot tell how many there are.
    rings = ["C1CCCCCCCCC1", "C1CCCCCCCCCCCCC1"]
    for readout, differs in (("mean", False), ("mean+sum", True), ("attention", True)):
        student = students.make(GineSettings(size="tiny", readout=readout))
        one, other = student.embed(rings).values
        assert bool(np.abs(one - other).max() > 1e-3) is differs


def test_failed_items_are_empty_rows_with_a_reason(student: GineStudent):
    embedded = student.embed(["CCO", "xx", None, "C" * 5000, "CCO"])
    assert list(embedded.failures) == [1, 2, 3]
    assert "5000 heavy atoms" in embedded.failures[3]
    assert np.isnan(embedded.values[1:4]).all()
    np.testing.assert_allclose(embedded.values[0], embedded.values[4], atol=1e-5)


def test_nothing_and_only_failures(student: GineStudent):
    assert student.embed([]).values.shape == (0, 128)
    assert np.isnan(student.embed(["xx", ""]).values).all()


def test_graphs_without_atoms_do_not_shift_their_neighbours(student: GineStudent):
    batch = student.collate(featurize(["CCO", "xx", "CCC", "xx"]))
    with torch.no_grad():
        values = student(batch).embedding
    assert values.shape == (4, 128)
    assert torch.isfinite(values).all()
    alone = student.embed(["CCO", "CCC"]).values
    np.testing.assert_allclose(values[[0, 2]].numpy(), alone, atol=1e-5)


def test_asking_for_layers_does_not_change_the_embedding(student: GineStudent):
    batch = student.collate(featurize(SMILES))
    with torch.no_grad():
        plain, layered = student(batch), student(batch, layers=True)
    assert torch.equal(plain.embedding, layered.embedding)
    assert [tuple(layer.shape) for layer in layered.layers] == [(len(SMILES), 64)] * 3
    assert plain.layers == ()


def test_every_parameter_gets_a_gradient():
    for readout in ("mean+sum", "attention"):
        student = students.make(GineSettings(size="tiny", readout=readout))
        student(student.collate(featurize(SMILES))).embedding.square().sum().backward()
        lacking = [name for name, p in student.named_parameters() if p.grad is None]
        assert lacking == []


def test_same_seed_same_bits_and_the_global_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two, three = (students.make(seed=seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert one.digest == two.digest != three.digest


@pytest.mark.parametrize(
    "change", [{"hidden": 32}, {"layers": 1}, {"embedding_dim": 7}, {"readout": "mean"}]
)
def test_every_option_changes_the_network(change):
    plain = students.make(GineSettings(size="tiny"))
    changed = students.make(GineSettings(size="tiny", **change))
    assert plain.digest != changed.digest
    one, other = (s.embed(["CCO"]).values for s in (plain, changed))
    assert one.shape != other.shape or not np.allclose(one, other)


def test_dropout_acts_in_training_only():
    student = students.make(GineSettings(size="tiny", dropout=0.5)).train()
    batch = student.collate(featurize(SMILES))
    with torch.no_grad():
        assert not torch.equal(student(batch).embedding, student(batch).embedding)
        student.eval()
        assert torch.equal(student(batch).embedding, student(batch).embedding)
    student.train()
    student.embed(["C"])
    assert student.training  # embedding puts the mode back


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": 0}, "hidden must be at least 1"),
        ({"readout": "max"}, "readout: expected one of"),
        ({"dropout": 1.0}, "dropout must lie"),
        ({"features": 99}, "features of version 99"),
    ],
)
def test_impossible_configurations_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        GineConfig(**change)


def test_an_unknown_size_gets_a_proposal():
    with pytest.raises(UnknownNameError, match="Did you mean 'small'"):
        GineSettings(size="smal")
