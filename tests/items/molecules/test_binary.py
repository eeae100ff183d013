"""RDKit's binary form read with NumPy: what RDKit tells atom by atom, or left to be read so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from rdkit import Chem

from molkd.items.molecules import binary, chem, records
from molkd.items.molecules.records import Records
from molkd.types import Mask
from tests.fakes.compounds import HARD

USUAL = (
    "C",
    "[Na+].[Cl-]",
    "CC(=O)Oc1ccccc1C(=O)O",
    "[CH2]C.[O][O]",
    r"F/C=C/C=C\F",
    "N[C@@H](C)C(=O)O",
    "[NH3]->[Fe]",
    "[U+4].[Fe+7].[O-2]",
    "C12C3C4C1C5C2C3C45",
    "C1" + "C" * 100 + "1",
    ".".join(["CCO"] * 50),
    "C" * 255,
)


def _told(mol: Chem.Mol) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """What RDKit says of atoms and bonds."""
    rings = mol.GetRingInfo()
    atoms = [
        (
            atom.GetAtomicNum(),
            atom.GetFormalCharge(),
            atom.GetTotalNumHs(),
            int(atom.GetHybridization()),
            int(atom.GetChiralTag()),
            atom.GetNumRadicalElectrons(),
            atom.GetIsAromatic(),
            atom.GetDegree(),
            rings.NumAtomRings(atom.GetIdx()),
            rings.MinAtomRingSize(atom.GetIdx()),
        )
        for atom in mol.GetAtoms()
    ]
    bonds = [
        (
            bond.GetBeginAtomIdx(),
            bond.GetEndAtomIdx(),
            int(bond.GetBondType()),
            int(bond.GetStereo()),
            bond.GetIsConjugated(),
            rings.NumBondRings(bond.GetIdx()) > 0,
        )
        for bond in mol.GetBonds()
    ]
    return atoms, bonds


def _read(mols: list[Chem.Mol]) -> tuple[Records, Mask]:
    return records.read([binary.write(mol) for mol in mols])


def _check(mols: list[Chem.Mol], said: Records) -> None:
    atoms, bonds = zip(*map(_told, mols), strict=True)
    assert said.atom_counts.tolist() == list(map(len, atoms))
    assert said.bond_counts.tolist() == list(map(len, bonds))
    columns = (
        said.elements,
        said.charges,
        said.hydrogens,
        said.hybridizations,
        said.tags,
        said.radicals,
        said.aromatic,
        said.degrees,
        said.ring_counts,
        said.smallest_rings,
    )
    np.testing.assert_array_equal(np.stack(columns, axis=1), list(itertools.chain(*atoms)))
    columns = (*said.ends.T, said.types, said.stereo, said.conjugated, said.in_ring)
    joins = np.array(list(itertools.chain(*bonds)), dtype=np.int64).reshape(-1, len(columns))
    np.testing.assert_array_equal(np.stack(columns, axis=1), joins)


def test_records_say_what_rdkit_says():
    mols = [chem.parse(smiles) for smiles in USUAL]
    said, readable = _read(mols)
    assert readable.all()
    _check(mols, said)


@pytest.mark.parametrize("smiles", HARD)
def test_records_of_a_hard_molecule_say_what_rdkit_says(smiles: str):
    mol = chem.parse(smiles)
    said, readable = _read([mol])
    if any(atom.GetIsotope() or not atom.GetAtomicNum() for atom in mol.GetAtoms()):
        assert not readable.any()
    else:
        assert readable.all()
        _check([mol], said)


def _mapped() -> Chem.Mol:
    mol = Chem.MolFromSmiles("CCO")
    mol.GetAtomWithIdx(0).SetAtomMapNum(300)
    return mol


def _of_a_residue() -> Chem.Mol:
    mol = Chem.MolFromSmiles("CCO")
    mol.GetAtomWithIdx(0).SetMonomerInfo(Chem.AtomPDBResidueInfo("CA"))
    return mol


def _labelled() -> Chem.Mol:
    mol = Chem.MolFromSmiles("CCO")
    mol.GetAtomWithIdx(0).SetProp("dummyLabel", "R")
    return mol


def _with_end_points() -> Chem.Mol:
    mol = Chem.MolFromSmiles("CCO")
    mol.GetBondWithIdx(0).SetProp("_MolFileBondEndPts", "(2 1 2)")
    return mol


UNUSUAL = {
    "isotope": Chem.MolFromSmiles("C[13CH2]O"),
    "more atoms than a byte counts": Chem.MolFromSmiles("C" * 256),
    "query atom": Chem.MolFromSmarts("[#6]CO"),
    "query bond": Chem.MolFromSmarts("C~CO"),
    "stereo group": Chem.MolFromSmiles("C[C@H](O)F |&1:1|"),
    "substance group": Chem.MolFromSmiles("*CCO |$A;;;$,Sg:n:1,2::ht:::|"),
    "no rings": Chem.MolFromSmiles("CCO", sanitize=False),
    "map": _mapped(),
    "residue": _of_a_residue(),
    "label": _labelled(),
    "end points": _with_end_points(),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_a_molecule_with_something_unusual_is_left_and_spoils_no_other(kind: str):
    usual = [chem.parse(smiles) for smiles in USUAL[2:5]]
    said, readable = _read([usual[0], UNUSUAL[kind], *usual[1:], UNUSUAL[kind]])
    assert readable.tolist() == [True, False, True, True, False]
    _check(usual, said)


def test_conformers_and_properties_are_left_out():
    mol = chem.parse("CCO")
    drawn = Chem.Mol(mol)
    drawn.AddConformer(Chem.Conformer(3))
    drawn.SetProp("_Name", "ethanol")
    drawn.GetAtomWithIdx(0).SetProp("note", "x")
    Chem.SetDefaultPickleProperties(Chem.PropertyPickleOptions.AllProps)
    try:
        said, readable = _read([drawn])
    finally:
        Chem.SetDefaultPickleProperties(Chem.PropertyPickleOptions.NoProps)
    assert readable.all()
    _check([mol], said)


def test_a_layout_that_nobody_has_compared_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binary, "_HEADERS", frozenset({b"another"}))
    assert binary.tagged(binary.write(chem.parse("C[C@H](F)O"))) == []
    said, readable = _read([chem.parse("CCO")])
    assert readable.tolist() == [False]
    assert len(said.elements) == len(said.types) == 0


def test_tagged_atoms_are_those_with_a_tag():
    mol = chem.parse("C[C@H](F)[C@@H](O)C[S@](C)=O")
    assert binary.tagged(binary.write(mol)) == [1, 3, 6]


@pytest.mark.parametrize("kind", UNUSUAL)
def test_tagged_atoms_of_an_unusual_molecule_are_no_error(kind: str):
    assert len(binary.tagged(binary.write(UNUSUAL[kind]))) < 10


def test_nothing_is_read_from_nothing():
    said, readable = _read([])
    assert len(readable) == len(said.elements) == 0
