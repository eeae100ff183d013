"""The features of a molecule, read atom by atom: what they mean, and how odd molecules are read.

`molkd.items.molecules.vectorized` reads the same integers, of many molecules at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem, rdBase

from molkd.items.molecules import chem, stereo
from molkd.items.molecules.packed import Graphs
from molkd.types import starts_of

ORDERS = {
    Chem.BondType.SINGLE: 0,
    Chem.BondType.DOUBLE: 1,
    Chem.BondType.TRIPLE: 2,
    Chem.BondType.AROMATIC: 3,
    Chem.BondType.DATIVE: 4,
}
OTHER_ORDER = 5


def read(mols: Sequence[Chem.Mol], labeller: stereo.Labeller = stereo.codes) -> Graphs:
    """Reads the molecules of `chem.parse`."""
    counts = np.zeros((len(mols), 2), dtype=np.int64)
    failures: dict[int, str] = {}
    atoms: list[tuple[int, ...]] = []
    bonds: list[tuple[int, ...]] = []
    for row, mol in enumerate(mols):
        before = len(atoms), len(bonds)
        try:
            _append(mol, labeller, atoms, bonds)
        except chem.InvalidMoleculeError as error:
            failures[row] = str(error)
        counts[row] = len(atoms) - before[0], len(bonds) - before[1]
    bond_table = np.array(bonds, dtype=np.int32).reshape(-1, 6)
    return Graphs(
        np.array(atoms, dtype=np.uint8).reshape(-1, 10),
        bond_table[:, 2:].astype(np.uint8),
        bond_table[:, :2],
        starts_of(counts[:, 0]),
        starts_of(counts[:, 1]),
        failures,
    )


def _append(
    mol: Chem.Mol,
    labeller: stereo.Labeller,
    atoms: list[tuple[int, ...]],
    bonds: list[tuple[int, ...]],
) -> None:
    """Appends the codes of a molecule's atoms, and the ends and codes of its bonds.

    Raises:
        InvalidMoleculeError: RDKit cannot sanitise it without its isotopes.
    """
    members = list(mol.GetAtoms())
    if any(atom.GetIsotope() for atom in members):
        mol = without_isotopes(mol)
        members = list(mol.GetAtoms())
    joins = list(mol.GetBonds())
    tagged = [index for index, atom in enumerate(members) if atom.GetChiralTag() != stereo.NO_TAG]
    turned = [index for index, bond in enumerate(joins) if bond.GetStereo() not in stereo.NO_STEREO]
    codes = labeller(mol, tagged, turned) if tagged or turned else ([], [])
    centres = dict(zip(tagged, codes[0], strict=True))
    double_bonds = dict(zip(turned, codes[1], strict=True))
    rings = mol.GetRingInfo()
    for index, atom in enumerate(members):
        in_rings = rings.NumAtomRings(index)
        atoms.append(
            (
                atom.GetAtomicNum(),
                min(atom.GetDegree(), 11),
                min(max(atom.GetFormalCharge(), -5), 5) + 5,
                min(atom.GetTotalNumHs(), 8),
                min(int(atom.GetHybridization()), 8),
                atom.GetIsAromatic(),
                min(in_rings, 4),
                min(rings.MinAtomRingSize(index), 9) if in_rings else 0,
                centres.get(index, 0),
                min(atom.GetNumRadicalElectrons(), 3),
            )
        )
    for index, bond in enumerate(joins):
        bonds.append(
            (
                bond.GetBeginAtomIdx(),
                bond.GetEndAtomIdx(),
                ORDERS.get(bond.GetBondType(), OTHER_ORDER),
                bond.GetIsConjugated(),
                rings.NumBondRings(index) > 0,
                double_bonds.get(index, 0),
            )
        )


def without_isotopes(mol: Chem.Mol) -> Chem.Mol:
    """Returns the molecule with the common isotope of every atom; deuterium becomes implicit.

    Raises:
        InvalidMoleculeError: RDKit cannot sanitise it without.
    """
    if not any(atom.GetIsotope() for atom in mol.GetAtoms()):
        return mol
    plain = Chem.Mol(mol)
    for atom in plain.GetAtoms():
        # Common hydrogens that RDKit kept, such as those of "[H]/N=C/C", are marked, to stay.
        common = atom.GetAtomicNum() == 1 and not atom.GetIsotope()
        atom.SetIsotope(1 if common else 0)
    rules = Chem.RemoveHsParameters()
    rules.removeDefiningBondStereo = True
    try:
        with rdBase.BlockLogs():
            plain = Chem.RemoveHs(plain, rules)
    except Exception as error:  # RDKit raises bare C++ exceptions of many kinds
        reason = f"isotopes cannot be taken off: {chem.first_line(error)}"
        raise chem.InvalidMoleculeError(reason) from error
    for atom in plain.GetAtoms():
        atom.SetIsotope(0)
    Chem.AssignStereochemistry(plain, cleanIt=True, force=True)
    return plain
