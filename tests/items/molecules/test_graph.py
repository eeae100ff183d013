"""Packed graphs: features, failures, selection and concatenation."""

from __future__ import annotations

import gzip
import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from molkd.items.molecules import chem, graph, plain, stereo
from molkd.items.molecules.graph import ATOM_SIZES, BOND_SIZES, Graphs, featurize
from tests.fakes.compounds import HARD

SHARED = Path(os.environ.get("MOLKD_SHARED", Path(__file__).resolve().parents[4] / "shared"))
SMILES = ["CCO", "C", "[Na+].[Cl-]", "xx", "C[C@H](N)C(=O)O", "F/C=C/F", None, "[H][H]", "c1ccccc1"]


def _equal(one: Graphs, other: Graphs) -> bool:
    arrays = ("atoms", "bonds", "ends", "atom_starts", "bond_starts")
    same = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
    return same and one.failures == other.failures


def test_one_graph_per_item_and_a_reason_for_each_failure():
    graphs = featurize(SMILES)
    assert graphs.sizes.tolist() == [3, 1, 2, 0, 6, 4, 0, 2, 6]
    assert graphs.failures == {
        3: "SMILES syntax error",
        6: "no SMILES but a missing value",
    }


@given(st.lists(st.integers(0, len(SMILES) - 1), max_size=12))
@settings(deadline=None, max_examples=40)
def test_selecting_equals_featurising_the_selected(rows: list[int]):
    picked = sorted(set(rows), reverse=True)
    selected = featurize(SMILES).select(np.array(picked, dtype=np.int64))
    assert _equal(selected, featurize([SMILES[row] for row in picked]))


def test_concatenating_equals_featurising_at_once():
    parts = [featurize(SMILES[:4]), featurize([]), featurize(SMILES[4:])]
    assert _equal(Graphs.concatenate(parts), featurize(SMILES))


def test_every_code_is_within_its_table():
    odd = ["[U+4]", "[2H]C", "*C", "C1CC1", "[Fe]<-N", "N#N", "[CH3]", "FS(F)(F)(F)(F)F"]
    graphs = featurize([*odd, "C12C3C4C1C5C2C3C45", "[Og]", "C" * 900, "C1" + "C" * 30 + "1"])
    assert not graphs.failures
    assert (graphs.atoms < np.array(list(ATOM_SIZES.values()))).all()
    assert (graphs.bonds < np.array(list(BOND_SIZES.values()))).all()


PAIRS = [
    ("N[C@@H](C)C(=O)O", "N[C@H](C)C(=O)O"),
    ("F/C=C/F", "F/C=C\\F"),
    ("C[C@H]1CC[C@@H](C)CC1", "C[C@H]1CC[C@H](C)CC1"),
    ("CC[S@](C)=O", "CC[S@@](C)=O"),
    ("CCO", "CC[O-]"),
    ("C1CCCCC1", "C1CCCC1"),
    ("[CH3]", "C"),
    ("c1ccccc1", "C1=CCC=CC1"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_different_structures_have_different_features(one: str, other: str):
    assert _multiset(one) != _multiset(other)


@pytest.mark.parametrize("smiles", [pair[0] for pair in PAIRS])
def test_features_do_not_depend_on_the_order_of_atoms(smiles: str):
    mol = Chem.MolFromSmiles(smiles)
    for seed in range(5):
        shuffled = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
        assert _multiset(Chem.RenumberAtoms(mol, shuffled)) == _multiset(mol)


def _multiset(item: str | Chem.Mol) -> list[tuple[int, ...]]:
    graphs = featurize([item])
    assert not graphs.failures
    return _codes(graphs, 0)


def _codes(graphs: Graphs, row: int) -> list[tuple[int, ...]]:
    one = graphs.select(np.array([row]))
    return sorted(map(tuple, one.atoms.tolist())) + sorted(map(tuple, one.bonds.tolist()))


def test_reading_together_equals_reading_one_by_one(monkeypatch: pytest.MonkeyPatch):
    """What is odd, what cannot be read, and what is usual between them, in chunks and in one."""
    odd = (*HARD, "*CC", "C" * 300, "C" * 1000, ".".join(["C[C@H](F)Cl"] * 50), "[Fe]~C")
    bad = ("xx", None, "C" * 1001, "[#6]~[#7]", "[2H]<-[OH2]", "c1cccc1", "")
    drawn = [Chem.MolFromSmiles(smiles) for smiles in odd[:20]]
    usual = ("CCO", "N[C@@H](C)C(=O)O", *(pair[0] for pair in PAIRS))
    items: list[Any] = [*itertools.chain(*itertools.product(odd, (*bad, *usual))), *drawn]
    monkeypatch.setattr(graph, "_CHUNK", 500)
    whole = featurize(items)
    assert len(items) > 1000
    kinds: dict[Any, Graphs] = {}
    for row, item in enumerate(items):
        alone = kinds.setdefault(item, featurize([item]))
        assert _equal(alone, whole.select(np.array([row]))), item
    assert _equal(Graphs.concatenate([kinds[item] for item in items]), whole)


@pytest.mark.parametrize("name", ["chembl22.smi.gz", "zinc250k.smi.gz", "moses_test.csv.gz"])
def test_reading_together_equals_reading_one_by_one_of_real_molecules(name: str):
    path = SHARED / "data/unlabelled" / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with gzip.open(path, "rt") as stream:
        texts = [line.split()[0].split(",")[0] for line in itertools.islice(stream, 0, None, 300)]
    mols = chem.parse_all(texts).mols
    assert len(mols) > 500
    assert _equal(featurize(texts), plain.read(mols))
    again = featurize([Chem.MolToRandomSmilesVect(mol, 1, randomSeed=7)[0] for mol in mols])
    once = featurize(mols)
    for row in range(len(mols)):
        assert _codes(once, row) == _codes(again, row), Chem.MolToSmiles(mols[row])


def test_the_callers_molecule_is_left_as_it_was():
    mol = Chem.MolFromSmiles("N[C@@H](C)C(=O)O")
    for atom in mol.GetAtoms():
        atom.ClearProp("_CIPCode")
    featurize([mol])
    assert not any(atom.HasProp("_CIPCode") for atom in mol.GetAtoms())


def test_a_molecule_too_symmetric_to_label_is_still_read(monkeypatch: pytest.MonkeyPatch):
    def give_up(*_: object, **__: object) -> None:
        raise RuntimeError("Max Iterations Exceeded")

    monkeypatch.setattr(stereo.rdCIPLabeler, "AssignCIPLabels", give_up)
    assert not featurize(["N[C@@H](C)C(=O)O"]).failures


def test_isotopes_are_not_seen():
    plain, labelled = featurize(["CO", "[H]/N=C/C"]), featurize(["[13CH3]O[2H]", "[H]/N=C/[13CH3]"])
    for name in ("atoms", "bonds", "ends"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(labelled, name))


def test_a_molecule_that_is_none_without_its_isotopes_costs_its_own_row():
    graphs = featurize(["CCO", "[2H]<-[OH2]", "CCN"])
    assert graphs.sizes.tolist() == [3, 0, 3]
    assert graphs.failures[1].startswith("isotopes cannot be taken off: ")
