"""Codes of centres and double bonds: which of three ways gives them, and that isomers differ."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rdkit import Chem

from molkd.items.molecules import chem, stereo
from molkd.items.molecules.graph import featurize, featurize_before_3


def _codes(mol: Chem.Mol) -> stereo.Codes:
    centres = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetChiralTag() != stereo.NO_TAG]
    bonds = [bond.GetIdx() for bond in mol.GetBonds() if bond.GetStereo() not in stereo.NO_STEREO]
    return stereo.codes(mol, centres, bonds)


@pytest.fixture
def _no_labeller(monkeypatch: pytest.MonkeyPatch) -> None:
    def labelled(*_: object) -> stereo.Codes:
        raise AssertionError("the slow labeller was asked")

    monkeypatch.setattr(stereo, "labelled", labelled)


@pytest.mark.usefixtures("_no_labeller")
@pytest.mark.parametrize(
    ("smiles", "centres", "bonds"),
    [
        ("N[C@@H](C)C(=O)O", [2], []),
        ("N[C@H](C)C(=O)O", [1], []),
        ("F/C=C/F", [], [1]),
        (r"F/C=C\F", [], [2]),
        ("C[C@H](O)[C@@H](O)[C@@H](C)O", [2, 1, 1], []),
        ("C[C@H]1CC[C@@H](C)CC1", [4, 4], []),
        ("C[C@H]1CC[C@H](C)CC1", [3, 3], []),
        ("C[C@]1(N)CC[C@@H](C)CC1", [4, 4], []),
        ("C[C@@]1(N)CC[C@@H](C)CC1", [3, 3], []),
        ("O=[S@]1CC[C@H](C)CC1", [3, 3], []),
        ("O=[S@]1CC[C@@H](C)CC1", [4, 4], []),
        ("O=[S@]1CC[C@@H](C)CC1.C[C@H]1C[C@H](O)C1.C[C@H](N)F", [4, 4, 3, 3, 1], []),
    ],
)
def test_codes_without_the_slow_labeller(smiles: str, centres: list[int], bonds: list[int]):
    mol = chem.parse(smiles)
    assert _codes(mol) == (centres, bonds)
    for seed in range(1, 6):
        again = chem.parse(Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed)[0])
        assert sorted(_codes(again)[0]) == sorted(centres)


@pytest.mark.parametrize(
    "smiles",
    [
        "C[C@H]1C[C@@H](C)C[C@H](C)C1",
        "O[C@H]1[C@H](O)[C@@H](O)[C@H](O)[C@H](O)[C@@H]1O",
        "C[C@H]1CC[C@]2(CC1)CC[C@H](C)CC2",
    ],
)
def test_rings_with_other_than_two_such_centres_are_labelled(smiles: str):
    mol = chem.parse(smiles)
    tagged = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetChiralTag() != stereo.NO_TAG]
    assert _codes(mol) == stereo.labelled(mol, tagged, [])


def _relabelled(mol: Chem.Mol, label: str | None) -> Chem.Mol:
    for atom in mol.GetAtoms():
        if label is None:
            atom.ClearProp("_CIPCode")
        elif atom.HasProp("_CIPCode"):
            atom.SetProp("_CIPCode", label)
    return mol


@pytest.mark.parametrize("label", [None, "R", "nonsense"])
@pytest.mark.parametrize("smiles", ["C[C@H](N)C(=O)O", "C[S@](=O)c1ccccc1", "C[C@H]1CC[C@H](C)CC1"])
def test_labels_that_a_molecule_carries_are_not_trusted(smiles: str, label: str | None):
    right = _codes(chem.parse(smiles))
    assert _codes(chem.parse(_relabelled(Chem.MolFromSmiles(smiles), label))) == right
    assert _codes(_relabelled(chem.parse_canonical(smiles), label))[0] == right[0]


def test_students_of_before_read_the_labels_that_they_have_learnt():
    """RDKit's own label of a sulfoxide is the other letter than its newer labeller's."""
    smiles: Sequence[str] = ["C[S@](=O)c1ccccc1", "C[C@H](N)C(=O)O"]
    before, now = (read(smiles).atoms[:, 8].tolist() for read in (featurize_before_3, featurize))
    assert before != now
    assert before[9:] == now[9:]
