"""Drawings and descriptions of molecules: what they show, and that they are always the same."""

from __future__ import annotations

import hashlib
import io
import math
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rdkit import Chem
from rdkit.Chem import AllChem, rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from molkd.errors import ConfigError
from molkd.items.images.decoding import decode
from molkd.teachers.rdkit.descriptions import GROUPS, RINGS
from molkd.teachers.views import Depict, Describe, View, depict, describe

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
DRUGS = [
    ASPIRIN,
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](N)C(=O)O",
    "Clc1ccccc1C2=NCC(=O)Nc3c2cc(cc3)[N+](=O)[O-]",
    "CN1CCC[C@H]1c1cccnc1",
    "[Na+].CC(=O)[O-]",
    "F/C=C/F",
]
BAD: list[Any] = [None, math.nan, "", "xx", "C(C)(C)(C)(C)C", 3]


def shuffled(smiles: str, seed: int) -> Chem.Mol:
    """The same molecule with its atoms in another order."""
    mol = Chem.MolFromSmiles(smiles)
    order = np.random.default_rng(seed).permutation(mol.GetNumAtoms())
    return Chem.RenumberAtoms(mol, order.tolist())


@pytest.mark.parametrize("view", [depict(), describe()])
def test_what_a_view_is(view: Any) -> None:
    assert isinstance(view, View)
    assert view.modality == "molecules"
    assert view.gives in {"images", "texts"}
    assert set(view.versions) == {"rdkit"}
    assert pickle.loads(pickle.dumps(view)) == view  # noqa: S301


def test_options_cannot_be_changed_afterwards() -> None:
    view: Any = depict()
    with pytest.raises(FrozenInstanceError):
        view.size = 3


@pytest.mark.parametrize("view", [depict(), describe()])
@pytest.mark.parametrize("item", BAD)
def test_no_molecule_has_no_view(view: Any, item: Any) -> None:
    with pytest.raises(ValueError, match=r"SMILES|valence"):
        view(item)


@pytest.mark.parametrize("view", [depict(size=96), describe()])
@pytest.mark.parametrize("smiles", DRUGS)
def test_neither_form_nor_order_of_atoms_matters(view: Any, smiles: str) -> None:
    expected = view(smiles)
    moved = Chem.MolFromSmiles(smiles)
    AllChem.EmbedMolecule(moved, randomSeed=1)
    for other in (moved, *(shuffled(smiles, seed) for seed in range(4))):
        assert np.array_equal(view(other), expected)


@pytest.mark.parametrize("view", [depict(size=64), describe()])
def test_molecules_stay_as_they_were(view: Any) -> None:
    mol = Chem.MolFromSmiles(ASPIRIN)
    before = (Chem.MolToCXSmiles(mol), mol.GetNumConformers(), sorted(mol.GetPropNames()))
    view(mol)
    assert (Chem.MolToCXSmiles(mol), mol.GetNumConformers(), sorted(mol.GetPropNames())) == before


def test_views_are_the_same_in_another_process() -> None:
    code = (
        "import hashlib; from molkd.teachers.views import depict, describe\n"
        f"print(hashlib.sha256(depict(size=96)({ASPIRIN!r}).tobytes()).hexdigest())\n"
        f"print(describe()({ASPIRIN!r}))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "5"},
    ).stdout.splitlines()
    assert printed[0] == hashlib.sha256(depict(size=96)(ASPIRIN).tobytes()).hexdigest()
    assert printed[1] == describe()(ASPIRIN)


# == Drawings


def test_a_drawing_is_rdkits_own() -> None:
    mol = Chem.MolFromSmiles(Chem.MolToSmiles(Chem.MolFromSmiles(ASPIRIN)))
    drawer = rdMolDraw2D.MolDraw2DCairo(150, 150)
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol)
    drawer.FinishDrawing()
    expected = np.asarray(Image.open(io.BytesIO(drawer.GetDrawingText())).convert("RGB"))
    assert np.array_equal(depict(size=150)(ASPIRIN), expected)


def test_a_drawing_is_a_picture() -> None:
    drawn = depict()(ASPIRIN)
    assert drawn.shape == (224, 224, 3)
    assert drawn.dtype == np.uint8
    assert (drawn[0, 0] == 255).all()
    assert drawn.min() < 100
    assert np.array_equal(decode(drawn), drawn)


def test_colours_are_a_choice() -> None:
    black, coloured = Depict(colours=False)(ASPIRIN), Depict(colours=True)(ASPIRIN)
    assert (black == black[:, :, :1]).all()
    assert (coloured != coloured[:, :, :1]).any()


def test_different_molecules_are_drawn_differently() -> None:
    pairs = [("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"), ("F/C=C/F", "F/C=C\\F"), ("CCO", "CCN")]
    for first, second in pairs:
        assert not np.array_equal(depict()(first), depict()(second))


def test_it_does_not_hang_on_global_settings() -> None:
    expected = depict(size=96)(ASPIRIN)
    before = rdDepictor.GetPreferCoordGen()
    rdDepictor.SetPreferCoordGen(not before)
    try:
        drawn = depict(size=96)(ASPIRIN)
    finally:
        rdDepictor.SetPreferCoordGen(before)
    assert np.array_equal(drawn, expected)


@pytest.mark.parametrize("smiles", ["C", "[He]", "*C", "CC[Pt]", "[Na+].[Cl-]", "C" * 300])
def test_odd_molecules_are_drawn(smiles: str) -> None:
    assert depict(size=64)(smiles).min() < 255


@pytest.mark.parametrize("size", [0, -3, 15, 5000])
def test_sizes_that_cannot_be_drawn(size: int) -> None:
    with pytest.raises(ConfigError, match=f"16 to 2048 pixels a side, not {size}"):
        depict(size=size)


# == Descriptions


def test_a_description_word_for_word() -> None:
    assert describe()(ASPIRIN) == (
        "A molecule with the formula C9H8O4 and a molecular weight of 180.2 g/mol, made of 13 "
        "heavy atoms. It has one ring, aromatic: one benzene. It contains one carboxylic acid "
        "and one ester. It has one hydrogen-bond donor, three hydrogen-bond acceptors and two "
        "rotatable bonds. It is of medium polarity, with an estimated logP of 1.3 and a polar "
        "surface of 64 square angstroms; 11 percent of its carbons are saturated. It breaks none "
        "of Lipinski's four rules."
    )


@pytest.mark.parametrize(
    ("smiles", "sentence"),
    [
        ("CC(=O)[O-].[Na+]", "in two separate parts."),
        ("CC(=O)[O-]", "with a charge of -1."),
        ("CC", "It has no rings. It contains no functional groups."),
        ("C1CCCCC1", "It has one ring, not aromatic: one cyclohexane."),
        ("c1ccc2ncccc2c1", "It has two rings, two of them aromatic: one benzene, one pyridine"),
        ("CC(O)C(N)F", "It has two stereocentres, two of them unspecified."),
        ("C[C@H](O)F", "It has one stereocentre. "),
        ("C" * 40, "It breaks two of Lipinski's four rules."),
        ("OCC(O)CO", "It contains three alcohols."),
    ],
)
def test_what_a_description_says(smiles: str, sentence: str) -> None:
    assert sentence in describe()(smiles)


GROUP_EXAMPLES = {
    "carboxylic acid": "CC(=O)O",
    "carboxylate": "CC(=O)[O-]",
    "ester": "CC(=O)OC",
    "carbamate": "CNC(=O)OC",
    "urea": "CNC(=O)NC",
    "amide": "CC(=O)NC",
    "ketone": "CC(=O)C",
    "aldehyde": "CC=O",
    "sulfonamide": "CS(=O)(=O)N",
    "sulfone": "CS(=O)(=O)C",
    "thioether": "CSC",
    "thiol": "CS",
    "alcohol": "CCO",
    "phenol": "Oc1ccccc1",
    "ether": "COC",
    "primary amine": "CN",
    "secondary amine": "CNC",
    "tertiary amine": "CN(C)C",
    "ammonium group": "C[NH3+]",
    "aniline nitrogen": "Nc1ccccc1",
    "nitro group": "C[N+](=O)[O-]",
    "nitrile": "CC#N",
    "imine": "CC=NC",
    "alkene": "C=C",
    "alkyne": "C#C",
    "fluorine atom": "CF",
    "trifluoromethyl group": "CC(F)(F)F",
    "chlorine atom": "CCl",
    "bromine atom": "CBr",
    "iodine atom": "CI",
    "phosphate": "COP(=O)(O)O",
}
RING_EXAMPLES = {
    "benzene": "c1ccccc1",
    "pyridine": "c1ccncc1",
    "pyrimidine": "c1cncnc1",
    "pyrazine": "c1cnccn1",
    "pyridazine": "c1ccnnc1",
    "pyrrole": "c1cc[nH]c1",
    "pyrazole": "c1cn[nH]c1",
    "imidazole": "c1c[nH]cn1",
    "triazole": "c1nc[nH]n1",
    "tetrazole": "c1nnn[nH]1",
    "furan": "c1ccoc1",
    "oxazole": "c1cocn1",
    "isoxazole": "c1cnoc1",
    "oxadiazole": "c1nnco1",
    "thiophene": "c1ccsc1",
    "thiazole": "c1cscn1",
    "thiadiazole": "c1nncs1",
    "indole": "c1ccc2[nH]ccc2c1",
    "quinoline": "c1ccc2ncccc2c1",
    "piperidine": "C1CCNCC1",
    "piperazine": "C1CNCCN1",
    "morpholine": "C1COCCN1",
    "pyrrolidine": "C1CCNC1",
    "cyclohexane": "C1CCCCC1",
    "cyclopropane": "C1CC1",
}


@pytest.mark.parametrize("group", [*GROUPS, *RINGS])
def test_every_group_is_found_once(group: str) -> None:
    text = describe()({**GROUP_EXAMPLES, **RING_EXAMPLES}[group])
    assert f"one {group}" in text


@pytest.mark.parametrize("group", GROUPS)
def test_groups_are_not_taken_for_each_other(group: str) -> None:
    contains = describe()(GROUP_EXAMPLES[group]).split("It contains ")[1].split(".")[0]
    assert contains == f"one {group}"


def test_descriptions_are_short_enough_to_read() -> None:
    assert all(100 < len(Describe()(smiles)) < 900 for smiles in DRUGS)
