"""Drawings of molecules as bytes: what a page needs to draw one, or to write it into an SD file.

RDKit lays a molecule out and wedges its bonds; atoms, bonds and coordinates are packed 256
molecules at a time, column by column, and compressed: some 80 bytes a molecule of ChEMBL. The
script `page/molecules.js` reads them; the format is explained at `packed`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor

from molkd.items.base import InvalidItemError
from molkd.items.molecules import chem
from molkd.runtime.processes import ordered_map

BLOCK = 256
"""Molecules that are compressed together: a page decodes so many to draw one."""

UNIT = 0.75 / 26
"""Ångström per step of a coordinate.

Bonds are 1.5 Å long and mostly lie at multiples of 30°: .75, 1.299 and 1.5 Å are 26, 45.03 and 52
steps, so that such bonds are nearly always the same numbers.
"""

_BOND_CODES = {
    Chem.BondType.SINGLE: 1,
    Chem.BondType.DOUBLE: 2,
    Chem.BondType.TRIPLE: 3,
    Chem.BondType.AROMATIC: 4,
    Chem.BondType.DATIVE: 9,
    Chem.BondType.HYDROGEN: 10,
}
"""Type of a bond -> its number in molfiles; any other is 8, "any"."""

_WEDGE, _HASH, _EITHER, _UNSAID = 1, 2, 3, 4
_DIRECTIONS = {
    Chem.BondDir.BEGINWEDGE: _WEDGE,
    Chem.BondDir.BEGINDASH: _HASH,
    Chem.BondDir.UNKNOWN: _EITHER,
    Chem.BondDir.EITHERDOUBLE: _EITHER,
}

_Columns = list[list[int]]


def blocks(smiles: Sequence[str], *, jobs: int = 1) -> Iterator[bytes]:
    """Draws molecules and yields them compressed, `BLOCK` at a time.

    Args:
        smiles: one per molecule; one that cannot be read has no atoms in its block.
        jobs: processes.
    """
    tasks = (smiles[start : start + BLOCK] for start in range(0, len(smiles), BLOCK))
    return ordered_map(block, tasks, jobs=jobs)


def block(smiles: Sequence[str]) -> bytes:
    """Returns molecules drawn, packed and compressed (zlib)."""
    with rdBase.BlockLogs():
        return zlib.compress(packed([drawn(text) for text in smiles]), 9)


def drawn(smiles: str) -> Chem.Mol:
    """Returns a molecule in the Kekulé form with coordinates and wedges; if unreadable, no atoms.

    A double bond that may be either, and of which nothing is said, has the stereo STEREOANY.
    """
    try:
        mol = chem.parse(smiles)
        if any(map(_is_open, mol.GetBonds())):
            Chem.FindPotentialStereoBonds(mol)
        Chem.Kekulize(mol, clearAromaticFlags=True)
        rdDepictor.Compute2DCoords(mol)
        rdDepictor.StraightenDepiction(mol)
        Chem.WedgeMolBonds(mol, mol.GetConformer())
    except (InvalidItemError, ValueError, RuntimeError):
        return Chem.Mol()
    return mol


def _is_open(bond: Chem.Bond) -> bool:
    """Whether a double bond may be cis or trans, and the SMILES does not say which."""
    return (
        bond.GetBondType() == Chem.BondType.DOUBLE
        and bond.GetStereo() == Chem.BondStereo.STEREONONE
        and bond.GetBeginAtom().GetDegree() > 1
        and bond.GetEndAtom().GetDegree() > 1
    )


def packed(mols: Sequence[Chem.Mol]) -> bytes:
    """Packs molecules with coordinates.

    Ten columns of unsigned 16-bit numbers, each as all low bytes, then all high bytes. Per
    molecule: atoms, bonds. Per atom: atomic number + 256 x hydrogens, charge (zigzag) + 256 x
    unpaired electrons, isotope, step in x and in y (zigzag). Per bond, ordered by its later and its
    earlier atom: how much later its later atom is than that of the bond before, how far its earlier
    atom lies before it, and type + 16 x direction + 128 where it begins at the later one.
    An atom's step is counted from the earliest atom that it is bound to, or else from the atom
    before it. In front stand the numbers of molecules, atoms and bonds: 4 bytes each, the lowest
    first.
    """
    sizes: _Columns = [[], []]
    atoms: _Columns = [[], [], [], [], []]
    bonds: _Columns = [[], [], []]
    for mol in mols:
        sizes[0].append(mol.GetNumAtoms())
        sizes[1].append(mol.GetNumBonds())
        table = sorted(_bond(bond) for bond in mol.GetBonds())
        _add_atoms(mol, table, atoms)
        later = 0
        for end, start, kind in table:
            bonds[0].append(end - later)
            bonds[1].append(end - start)
            bonds[2].append(kind)
            later = end
    lengths = np.array([len(mols), len(atoms[0]), len(bonds[0])], dtype="<u4").tobytes()
    return lengths + b"".join(map(_planes, (*sizes, *atoms, *bonds)))


def _bond(bond: Chem.Bond) -> tuple[int, int, int]:
    first, second = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    kind = _BOND_CODES.get(bond.GetBondType(), 8)
    direction = _DIRECTIONS.get(bond.GetBondDir(), 0)
    if kind == 2 and not direction and bond.GetStereo() == Chem.BondStereo.STEREOANY:
        direction = _UNSAID
    return max(first, second), min(first, second), kind + 16 * direction + 128 * (first > second)


def _add_atoms(mol: Chem.Mol, table: Sequence[tuple[int, int, int]], atoms: _Columns) -> None:
    for atom in mol.GetAtoms():
        atoms[0].append(atom.GetAtomicNum() + 256 * atom.GetTotalNumHs())
        atoms[1].append(_zigzag(atom.GetFormalCharge()) + 256 * atom.GetNumRadicalElectrons())
        atoms[2].append(atom.GetIsotope())
    if not mol.GetNumAtoms():
        return
    bound: dict[int, int] = {}
    for end, start, _ in table:
        bound.setdefault(end, start)
    steps = (mol.GetConformer().GetPositions()[:, :2] / UNIT).tolist()
    places: dict[int, tuple[int, int]] = {-1: (0, 0)}  # as they are read: rounding does not add up
    for number, (x, y) in enumerate(steps):
        from_x, from_y = places[bound.get(number, number - 1)]
        right, up = round(x - from_x), round(y - from_y)
        places[number] = from_x + right, from_y + up
        atoms[3].append(_zigzag(right))
        atoms[4].append(_zigzag(up))


def _zigzag(number: int) -> int:
    """A whole number as one that is not negative: 0, -1, 1, -2, ... -> 0, 1, 2, 3, ..."""
    return 2 * number if number >= 0 else -2 * number - 1


def _planes(numbers: Sequence[int]) -> bytes:
    column = np.array(numbers, dtype=np.uint16)
    return (column & 255).astype(np.uint8).tobytes() + (column >> 8).astype(np.uint8).tobytes()
