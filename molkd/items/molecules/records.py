"""What RDKit's binary form says of many molecules, as one array per thing; see `binary`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from molkd.items.molecules import binary
from molkd.items.molecules.binary import Bytes, Found
from molkd.types import Mask, Rows, ranges_of, starts_of

_SINGLE, _SP3 = int(Chem.BondType.SINGLE), int(Chem.HybridizationType.SP3)


@dataclass(frozen=True, slots=True)
class Records:
    """What is written of a atoms, m bonds and the rings of n molecules, end to end.

    Attributes:
        atom_counts: shape (n,), atoms per molecule.
        bond_counts: shape (n,), bonds per molecule.
        elements, charges, hydrogens, hybridizations, tags, radicals: shape (a,), as RDKit numbers
            them; hydrogens are those that are no atoms.
        aromatic: shape (a,).
        degrees: shape (a,), bonds of an atom.
        ring_counts: shape (a,), rings that an atom is in.
        smallest_rings: shape (a,), atoms of the smallest of them; 0 outside rings.
        ends: shape (m, 2), atoms of a bond, counted within their molecule.
        types, stereo: shape (m,), as RDKit numbers them.
        conjugated, in_ring: shape (m,).
    """

    atom_counts: Rows
    bond_counts: Rows
    elements: Bytes
    charges: npt.NDArray[np.int8]
    hydrogens: Rows
    hybridizations: Bytes
    tags: Bytes
    radicals: Bytes
    aromatic: Mask
    degrees: Rows
    ring_counts: Rows
    smallest_rings: Bytes
    ends: npt.NDArray[np.int32]
    types: Bytes
    stereo: Bytes
    conjugated: Mask
    in_ring: Mask


def read(written: Sequence[bytes]) -> tuple[Records, Mask]:
    """Reads sanitised molecules that `binary.write` has written.

    Returns:
        What is said of those that can be read here, and which of them these are: shape (n,).
    """
    found, readable = binary.find(written)
    return _decode(found), readable


def _decode(found: Found) -> Records:
    data, atoms, bonds = found.data, found.atoms, found.bonds
    flags = data[bonds + 2]
    types = np.where(flags & binary.HAS_TYPE, data[bonds + 3], _SINGLE)
    stereo_at = bonds + binary.BOND_LENGTHS[flags] - 2
    ends = np.stack([data[bonds], data[bonds + 1]], axis=1)
    first_atoms = starts_of(found.counts[0])[:-1]
    joined = ends + np.repeat(first_atoms, found.counts[1])[:, None]
    ring_counts, smallest, in_ring = _rings(found, first_atoms, joined)
    noted = data[atoms + 1]
    implicit = np.where(
        noted & binary.NO_IMPLICIT, 0, binary.field(data, atoms, binary.IMPLICIT_HS)
    )
    return Records(
        atom_counts=found.counts[0],
        bond_counts=found.counts[1],
        elements=data[atoms],
        charges=binary.field(data, atoms, binary.CHARGE).view(np.int8),
        hydrogens=binary.field(data, atoms, binary.EXPLICIT_HS).astype(np.int64) + implicit,
        hybridizations=binary.field(data, atoms, binary.HYBRIDIZATION, _SP3),
        tags=binary.field(data, atoms, binary.TAG),
        radicals=binary.field(data, atoms, binary.RADICALS),
        aromatic=noted & binary.AROMATIC > 0,
        degrees=np.bincount(joined.ravel(), minlength=len(atoms)),
        ring_counts=ring_counts,
        smallest_rings=smallest,
        ends=ends.astype(np.int32),
        types=types,
        stereo=np.where(flags & binary.HAS_STEREO, data[stereo_at], 0).astype(np.uint8),
        conjugated=flags & binary.CONJUGATED > 0,
        in_ring=in_ring,
    )


def _rings(found: Found, first_atoms: Rows, joined: Rows) -> tuple[Rows, Bytes, Mask]:
    """Returns for all atoms the number of rings and the size of the smallest, for bonds if in one.

    A bond is in a ring if its atoms follow one another there: noted in a square table per molecule.
    """
    data, (atom_counts, _, ring_counts) = found.data, found.counts
    owners = np.repeat(np.arange(len(ring_counts)), ring_counts)
    order = np.argsort(-data[found.rings].astype(np.int64), kind="stable")
    rings, owners = found.rings[order], owners[order]
    sizes = data[rings].astype(np.int64)
    members = data[ranges_of(rings + 1, sizes)] + np.repeat(first_atoms[owners], sizes)
    smallest = np.zeros(len(found.atoms), dtype=np.uint8)
    smallest[members] = np.repeat(sizes, sizes)  # the smaller rings come later, and stay

    bounds = starts_of(sizes)
    following = np.roll(members, -1)
    following[bounds[1:] - 1] = members[bounds[:-1]]
    squares = starts_of(atom_counts**2)
    table = np.zeros(squares[-1], dtype=np.bool_)
    widths = np.repeat(atom_counts, atom_counts)
    # The cell of two atoms i and j, counted over all molecules, is rows[i] + j.
    rows = (
        np.repeat(squares[:-1] - first_atoms * (atom_counts + 1), atom_counts)
        + np.arange(len(widths)) * widths
    )
    table[rows[members] + following] = True
    table[rows[following] + members] = True
    in_ring = table[rows[joined[:, 0]] + joined[:, 1]]
    return np.bincount(members, minlength=len(found.atoms)), smallest, in_ring
