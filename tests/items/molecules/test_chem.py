"""Texts and RDKit molecules that people really have: the right compound, or a reason."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from rdkit.Chem.MolStandardize import rdMolStandardize

from molkd.items.molecules import chem
from molkd.items.molecules.chem import InvalidMoleculeError


def _read(item: object) -> str:
    return chem.parse_canonical(item).smiles


@pytest.mark.parametrize(
    ("text", "smiles"),
    [
        ("OCC", "CCO"),
        ("  CCO\t\n", "CCO"),
        ("\u200bCCO\ufeff", "CCO"),
        ("\u00a0CCO\u2060", "CCO"),
        ("C[C@H](O)F |&1:1|", "C[C@H](O)F"),
        ("N[Fe] |C:0.0|", "[NH3]->[Fe]"),
        ("CC |^1:0|", "[CH2]C"),
        ("CCO   |$a b;;$|", "CCO"),
        ("[CH3:1][OH:2]", "CO"),
        ("C[C@H](O)[CH3:1]", "CC(C)O"),
        ("[H:3][CH2:1][OH:2]", "CO"),
        ("[H]OC([H])([H])[H]", "CO"),
        ("[2H]OC", "[2H]OC"),
        ("[H]/N=C/C", "[H]/N=C/C"),
        ("Cl[Pt@SP1](Cl)([NH3])[NH3]", "[NH3]->[Pt](<-[NH3])([Cl])[Cl]"),
        ("[Fe]~C", "[CH4]~[Fe]"),
        ("*CC", "*CC"),
    ],
)
def test_texts_that_are_compounds(text: str, smiles: str):
    assert _read(text) == smiles


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("C C O", "text after the SMILES: 'C O': one SMILES per row"),
        ("CCO\nCCC", "text after the SMILES: 'CCC'"),
        ("CCO this is junk", "text after the SMILES: 'this is junk'"),
        ("CCO |not closed", "text after the SMILES"),
        ("CCO |$a;;$| name", "text after the SMILES"),
        ("CCO\u03b1", "'\u03b1' is no character of a SMILES"),
        ("CC\u200bO", "U+200B is no character of a SMILES"),
        ("CCO |nonsense|", "the SMILES can be read, but not its CXSMILES block"),
        ("*CC |$Q_e;;$|", None),
        ("C" * 60_000, "60000 characters, more than the 10000 allowed"),
        (f"CCO |{'x' * 200_000}|", "200002 characters, more than the 100000 allowed"),
        ("C" * 2000, "2000 heavy atoms, more than the 1000 allowed"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("c1cccc1", "kekulize"),
        ("CC(", "SMILES syntax error"),
        ("", "empty SMILES"),
        (" \u200b ", "empty SMILES"),
    ],
)
def test_texts_that_are_none(text: str, reason: str | None):
    if reason is None:  # a place left open, whatever it may hold
        assert _read(text) == "*CC"
        return
    with pytest.raises(InvalidMoleculeError) as error:
        chem.parse(text)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    "smiles", [r"CN1CCCC/C(C(N)=O)=C\c2ccccc21", r"C1=C\CCCCCC/1", "C1=C/CCCCCC/1"]
)
def test_hydrogens_do_not_turn_a_double_bond(smiles: str):
    """RDKit reads such a ring, written with hydrogens, as the other isomer (see findings/)."""
    full = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert _read(Chem.MolToSmiles(full)) == smiles
    assert _read(Chem.MolFromSmiles(Chem.MolToSmiles(full), sanitize=False)) == smiles


def test_hydrogens_are_not_counted():
    assert chem.parse(Chem.AddHs(Chem.MolFromSmiles("C" * 400))).GetNumAtoms() == 400


def _product() -> Chem.Mol:
    rule = AllChem.ReactionFromSmarts("[C:1](=[O:2])[OH].[N:3]>>[C:1](=[O:2])[N:3]")
    acid, amine = Chem.MolFromSmiles("CC(=O)O"), Chem.MolFromSmiles("NC")
    return rule.RunReactants((acid, amine))[0][0]


def _without_methyl() -> Chem.RWMol:
    edited = Chem.RWMol(Chem.MolFromSmiles("Cc1ccccc1"))
    edited.RemoveAtom(0)
    return edited


def _cut() -> Chem.Mol:
    return Chem.FragmentOnBonds(Chem.MolFromSmiles("CCO"), [0], addDummies=False)


UNSANITISED: dict[str, tuple[Callable[[], Chem.Mol], str]] = {
    "SMILES": (lambda: Chem.MolFromSmiles("C1=CC=CC=C1", sanitize=False), "c1ccccc1"),
    "reaction product": (_product, "CNC(C)=O"),
    "parent of a salt": (
        lambda: rdMolStandardize.FragmentParent(Chem.MolFromSmiles("CC(=O)[O-].[Na+]")),
        "CC(=O)[O-]",
    ),
    "substructure deleted": (
        lambda: Chem.DeleteSubstructs(
            Chem.MolFromSmiles("CCc1ccccc1.Cl"), Chem.MolFromSmarts("[Cl]")
        ),
        "CCc1ccccc1",
    ),
    "bond cut": (_cut, "C.CO"),
    "edited": (_without_methyl, "c1ccccc1"),
    "MOL block": (
        lambda: Chem.MolFromMolBlock(
            Chem.MolToMolBlock(Chem.MolFromSmiles("C[C@H](N)O")), sanitize=False
        ),
        "C[C@H](N)O",
    ),
    "pickled": (
        lambda: pickle.loads(  # noqa: S301 - our own bytes
            pickle.dumps(Chem.MolFromSmiles("CCO", sanitize=False))
        ),
        "CCO",
    ),
}


@pytest.mark.parametrize("kind", UNSANITISED)
def test_unsanitised_molecules(kind: str):
    make, smiles = UNSANITISED[kind]
    mol = make()
    parsed = chem.parse_all(["CCC", mol, "xx"])
    assert parsed.rows == [0, 1]
    assert chem.canonical_smiles(parsed.mols[1]) == smiles


@pytest.mark.parametrize("smarts", ["CCO", "[#6]-[#7]", "c1ccccc1[N,O]"])
def test_a_query_is_no_molecule(smarts: str):
    with pytest.raises(InvalidMoleculeError, match="a query"):
        chem.parse(Chem.MolFromSmarts(smarts))


def test_a_molecule_that_is_impossible_has_a_reason():
    impossible = Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False)
    parsed = chem.parse_all(["CCO", impossible, Chem.Mol()])
    assert parsed.rows == [0]
    assert "valence" in parsed.failures[1]
    assert parsed.failures[2] == "molecule without atoms"


def test_the_callers_molecule_is_left_as_it_was():
    drawn = Chem.AddHs(Chem.MolFromSmiles("[CH3:1][OH:2]"))
    before = drawn.ToBinary()
    chem.parse(drawn)
    chem.parse_canonical(drawn)
    assert drawn.ToBinary() == before


def test_a_double_bond_whose_neighbour_was_cut_off_has_no_isomers():
    edited = Chem.RWMol(Chem.MolFromSmiles("C/C=C/C"))
    edited.RemoveAtom(0)
    assert _read(edited) == "C=CC"


def test_canonical_molecules_are_taken_as_they_are():
    mol = chem.parse_canonical("OCC")
    assert mol.smiles == "CCO"
    assert [atom.GetSymbol() for atom in mol.GetAtoms()] == ["C", "C", "O"]
    assert chem.parse_canonical(mol) is chem.parse(mol) is mol
    again = pickle.loads(pickle.dumps(mol))  # noqa: S301 - our own bytes
    assert isinstance(again, chem.CanonicalMol)
    assert again.smiles == "CCO"
    for edited in (Chem.Mol(mol), Chem.RWMol(mol), Chem.AddHs(mol)):
        assert not isinstance(edited, chem.CanonicalMol)
