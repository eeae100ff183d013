"""RDKit's binary form of molecules, read many at a time with NumPy instead of atom by atom.

`Mol.ToBinary()` is written in C++ and costs a sixth of parsing the SMILES; asking every atom from
Python costs twice the parsing. Layout, from `Code/GraphMol/MolPickler.cpp` of RDKit (BSD), numbers
being little-endian and indices one byte wide:

    header  0xDEADBEEF, 0, and the version of the layout (three numbers), 4 bytes each
    counts  atoms and bonds, 4 bytes each; 0x80
    atoms   BEGIN_ATOMS, then per atom: atomic number; flags (`AROMATIC`, ...); four bytes of which
            the first tells which fields follow, a byte each, in the order of their bits (`CHARGE`
            first); those with the usual value, 0 or sp3, are left out
    bonds   BEGIN_BONDS, then per bond: two atoms; flags (`CONJUGATED`, ...); type unless single;
            direction if any; stereo if any, and with it a count of atoms and these atoms
    rings   the tag of how they were found, their number in 4 bytes, then per ring: its size, atoms
    end     END

Records are of several lengths, so that each is found from the one before: all molecules advance
together, one record a step. What else RDKit may write (queries, atom maps, residues, isotopes,
stereo groups, indices of more than a byte) marks a molecule as one to be read another way; so does
any version of the layout that nobody has compared with what RDKit itself tells.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from molkd.types import Mask, Rows, starts_of

Bytes = npt.NDArray[np.uint8]

LAYOUTS = frozenset({(16, 2, 0), (16, 3, 0), (16, 4, 0)})
"""Versions of the layout that are known to be the one above: those of RDKit 2025.03 to 2026.09."""

AROMATIC, NO_IMPLICIT = 0x40, 0x20
"""Flags of an atom; any other one (map, label, query, residue, coordinates) is not read here."""

CHARGE, TAG, HYBRIDIZATION, EXPLICIT_HS, EXPLICIT_VALENCE, IMPLICIT_HS, RADICALS = (
    1 << bit for bit in range(1, 8)
)
"""Fields of an atom: the bit that tells that it is there. A further byte would tell an isotope."""

CONJUGATED, HAS_TYPE, HAS_DIRECTION, HAS_STEREO = 0x20, 0x08, 0x04, 0x02
"""Flags of a bond; `AROMATIC` is one as well, any other one (query, end points) is not read."""

BEGIN_ATOMS, BEGIN_BONDS, END = 1, 11, 22
RINGS = np.array([20, 66, 67, 68])
"""Tags of rings: smallest set, symmetrised, found fast, found otherwise."""

_HEADER, _FIRST_ATOM = 20, 30
"""Bytes of the header, and of all that comes before the first atom."""

_MOST = 255
"""Atoms of a molecule whose indices are one byte wide."""

_OPTIONS = int(Chem.PropertyPickleOptions.NoConformers)
"""What `ToBinary` leaves out beside properties."""

_PADDING = 1024
"""Bytes after the last molecule, for positions beyond a record that is not what it seemed."""

_ATOM_SIZE, _BOND_SIZE = 6, 3
_STRANGE_ATOM = np.uint8(~(AROMATIC | NO_IMPLICIT) & 0xFF)
_STRANGE_BOND = np.uint8(~(AROMATIC | CONJUGATED | HAS_TYPE | HAS_DIRECTION | HAS_STEREO) & 0xFF)
_HEADERS = frozenset(struct.pack("<5I", 0xDEADBEEF, 0, *layout) for layout in LAYOUTS)
_BITS = np.arange(256, dtype=np.uint8)
_ATOM_LENGTHS = _ATOM_SIZE + np.bitwise_count(_BITS).astype(np.int64)
_LENGTHS = _ATOM_LENGTHS.tolist()
BOND_LENGTHS = (
    _BOND_SIZE
    + np.bitwise_count(_BITS & (HAS_TYPE | HAS_DIRECTION)).astype(np.int64)
    + 2 * (_BITS & HAS_STEREO > 0)
)
"""Flags -> bytes of a bond up to the number of its stereo atoms, without these."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the records of n molecules begin.

    Attributes:
        data: the bytes of all molecules.
        counts: shape (3, n), atoms, bonds and rings of each.
        atoms, bonds, rings: positions in data, molecule by molecule.
    """

    data: Bytes
    counts: Rows
    atoms: Rows
    bonds: Rows
    rings: Rows


def write(mol: Chem.Mol) -> bytes:
    """Returns the binary form of a molecule, without coordinates and properties."""
    return mol.ToBinary(_OPTIONS)


def tagged(written: bytes) -> list[int]:
    """Returns the atoms of a molecule that have a tag of chirality; any where it cannot be read."""
    if written[:_HEADER] not in _HEADERS:
        return []
    found: list[int] = []
    at = _FIRST_ATOM
    try:
        for atom in range(written[_HEADER]):
            fields = written[at + 2]
            if fields & TAG:
                found.append(atom)
            at += _LENGTHS[fields]
    except IndexError:  # a record was not what it seemed
        return []
    return found


def find(written: Sequence[bytes]) -> tuple[Found, Mask]:
    """Finds the records of sanitised molecules that `write` has written.

    Returns:
        The records of those that can be read here, and which of them these are: shape (n,).
    """
    data = np.frombuffer(b"".join(written) + bytes(_PADDING), dtype=np.uint8)
    starts = starts_of(np.array([len(binary) for binary in written], dtype=np.int64))[:-1]
    counts = np.stack([_number(data, starts + at) for at in (_HEADER, _HEADER + 4, 0)])
    known = np.array([binary[:_HEADER] in _HEADERS for binary in written], dtype=np.bool_)
    usable = known & (counts[0] <= _MOST)

    counts[:, ~usable] = 0
    atoms, ends = _walk(data, starts + _FIRST_ATOM, counts[0], _atom_lengths)
    odd = (data[atoms + 1] & _STRANGE_ATOM) | (data[atoms + 2] & 1) | data[atoms + 3]
    usable &= ~_any(odd, counts[0]) & (data[ends] == BEGIN_BONDS)

    counts[1:, ~usable] = 0
    bonds, ends = _walk(data, ends + 1, counts[1], _bond_lengths)
    usable &= ~_any(data[bonds + 2] & _STRANGE_BOND, counts[1]) & np.isin(data[ends], RINGS)

    counts[2] = np.where(usable, _number(data, ends + 1), 0)
    rings, ends = _walk(data, ends + 5, counts[2], _ring_lengths)
    usable &= data[ends] == END
    kept = [
        records[np.repeat(usable, count)]
        for records, count in zip((atoms, bonds, rings), counts, strict=True)
    ]
    return Found(data, counts[:, usable], *kept), usable


def _walk(
    data: Bytes, starts: Rows, counts: Rows, lengths: Callable[[Bytes, Rows], Rows]
) -> tuple[Rows, Rows]:
    """Steps from record to record, in all molecules at once.

    Args:
        data: all bytes.
        starts: shape (n,), the first record of each molecule.
        counts: shape (n,), records of each.
        lengths: returns those of the records that begin at some positions.

    Returns:
        Positions of all records, molecule by molecule, and what follows the last: shape (n,).
    """
    order = np.argsort(-counts, kind="stable")  # those with more to come stay in front
    places = starts_of(counts)
    positions = np.empty(places[-1], dtype=np.int64)
    cursors, places = starts[order], places[:-1][order]
    last = len(data) - _PADDING
    alive = len(counts) - np.cumsum(np.bincount(counts))
    for active in alive[:-1].tolist():
        at = cursors[:active]
        positions[places[:active]] = at
        places[:active] += 1
        at += lengths(data, at)
        np.minimum(at, last, out=at)  # where a record is not what it seemed
    ends = np.empty_like(cursors)
    ends[order] = cursors
    return positions, ends


def _atom_lengths(data: Bytes, at: Rows) -> Rows:
    return _ATOM_LENGTHS[data[at + 2]]


def _bond_lengths(data: Bytes, at: Rows) -> Rows:
    flags = data[at + 2]
    lengths = BOND_LENGTHS[flags]
    return lengths + np.where(flags & HAS_STEREO, data[at + lengths - 1], 0)


def _ring_lengths(data: Bytes, at: Rows) -> Rows:
    return data[at] + np.int64(1)


def _number(data: Bytes, at: Rows) -> Rows:
    """Shape of at: the numbers of four bytes that begin there."""
    return sum((data[at + place].astype(np.int64) << 8 * place for place in range(4)), at * 0)


def _any(values: npt.NDArray[Any], counts: Rows) -> Mask:
    """Shape (n,): whether one of the values of each molecule is not zero."""
    owners = np.repeat(np.arange(len(counts)), counts)[values != 0]
    return np.bincount(owners, minlength=len(counts)) > 0


def field(data: Bytes, atoms: Rows, bit: int, usual: int = 0) -> Bytes:
    """Shape (a,): a field of all atoms, or its usual value where it was left out."""
    fields = data[atoms + 2]
    before = np.bitwise_count(fields & (bit - 2))
    return np.where(fields & bit, data[atoms + _ATOM_SIZE + before], np.uint8(usual))
