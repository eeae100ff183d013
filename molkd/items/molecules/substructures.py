"""Hashes of the substructures of packed graphs, a whole chunk at a time.

They are those of RDKit's generators of count fingerprints without chirality (circular of radius 2,
atom pairs up to 30 bonds apart, topological torsions), so that a column of a student is the same
column of a teacher, and one block more, of stereochemistry. Computed from what
`molkd.items.molecules.graph` has read, they take a quarter of RDKit's time, are the same in all
releases of RDKit that read the same graphs, and cannot depend on the order of atoms. They differ
from RDKit's where the graph is coarser (charges beyond 5, bonds of rare kinds), and in some rings
of three, whose one torsion RDKit begins at an atom that depends on their order.

Sources: Rogers & Hahn 2010, doi:10.1021/ci100050t; Carhart et al. 1985, doi:10.1021/ci00046a002;
Nilakantan et al. 1987, doi:10.1021/ci00054a008. Hashing: boost's `hash_combine` in 32 bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from molkd.items.molecules.bonded import MAX_DISTANCE, Bonded, Indices, Words
from molkd.items.molecules.graph import ATOM_SIZES

Hashes = npt.NDArray[np.uint32]
Found = tuple[Indices, Hashes]
"""An atom of each substructure, which says to what molecule it belongs, and its hash."""

_ORDERS = np.array([1, 2, 3, 12, 17, 0], dtype=np.uint64)
"""Code of a bond's order -> number of its type in RDKit."""

_PI = np.array([0, 1, 2, 0, 0, 0])
"""Code of a bond's order -> its pi electrons at either atom."""

_SP3 = 4
_ELEMENTS = np.full(ATOM_SIZES["element"], 15, dtype=np.uint32)
_ELEMENTS[[5, 6, 7, 8, 9, 14, 15, 16, 17, 33, 34, 35, 51, 52, 53]] = range(15)
"""Atomic number -> its type among the codes of atom pairs and torsions."""

_CODES = 511
_SIX, _TWO = np.uint32(6), np.uint32(2)
_TURNS = 64
"""What sets the codes of double bonds apart from those of centres."""


def circular(bonded: Bonded) -> Found:
    """Circular substructures of radius 0 to 2; of several that have the same bonds, one."""
    first = _kinds(bonded)
    second = _widened(bonded, first, 0)
    third = _widened(bonded, second, 1)
    alive = np.flatnonzero(bonded.degrees)
    sets = np.concatenate([one[alive] for one in _bond_sets(bonded)])
    # Of two, that of the smaller radius is kept, or that of the lower hash.
    ranked = np.concatenate([second[alive].astype(np.uint64), third[alive] | np.uint64(1 << 32)])
    order = np.argsort(sets)
    sets = sets[order]
    news = np.flatnonzero(np.append(True, sets[1:] != sets[:-1])[: len(sets)])
    kept = np.minimum.reduceat(ranked[order], news) if len(news) else ranked
    owners = np.concatenate([alive, alive])[order[news]]
    hashes = np.concatenate([first, kept.astype(np.uint32)])
    return np.concatenate([np.arange(len(first)), owners]), hashes


def pairs(bonded: Bonded) -> Found:
    """Pairs of atoms up to 30 bonds apart, with the number of bonds between them."""
    codes = _atom_codes(bonded)
    seeds, mixed = _pair_tables()
    first, second, apart = bonded.distances()
    one, other = codes.take(first), codes.take(second)
    begun = np.minimum(one, other) * np.int64(MAX_DISTANCE + 1) + apart
    return first, seeds.take(begun) ^ (mixed.take(begun) + np.maximum(one, other))


def torsions(bonded: Bonded) -> Found:
    """Paths of four atoms; of a ring of three, the one that begins at the highest code."""
    codes = (_atom_codes(bonded) - np.uint32(2)) % np.uint32(_CODES)
    outer, middle, last = bonded.paths
    second, third = bonded.ends[:, middle]
    heavy = bonded.atom("element") != 1
    ranks = codes * np.int64(len(codes)) + np.arange(len(codes))
    once = (outer != last) | (ranks[outer] > np.maximum(ranks[second], ranks[third]))
    kept = heavy[outer] & heavy[second] & heavy[third] & heavy[last] & once
    outer, second, third, last = outer[kept], second[kept], third[kept], last[kept]
    path = [codes[outer] + np.uint32(1), codes[second], codes[third], codes[last] + np.uint32(1)]
    turned = (path[0] > path[3]) | ((path[0] == path[3]) & (path[1] > path[2]))
    hashes = np.zeros(len(outer), dtype=np.uint32)
    for there, back in zip(path, path[::-1], strict=True):
        hashes = _combined(hashes, np.where(turned, back, there))
    return outer, hashes


def stereo(bonded: Bonded) -> Found:
    """Labelled centres and double bonds, each alone and with its neighbours."""
    centres = np.flatnonzero(bonded.atom("chirality"))
    double_bonds = np.flatnonzero(bonded.bond("stereo"))
    ends = bonded.ends[:, double_bonds]
    near = _widened(bonded, _kinds(bonded), 0)
    low, high = np.sort(near[ends], axis=0)
    labels = bonded.atom("chirality")[centres].astype(np.uint32)
    turns = bonded.bond("stereo")[double_bonds].astype(np.uint32) + np.uint32(_TURNS)
    around = [_combined(labels, near[centres]), _combined(_combined(turns, low), high)]
    atoms = np.concatenate([centres, ends[0]])
    return np.concatenate([atoms, atoms]), np.concatenate([labels, turns, *around])


BLOCKS: Mapping[str, Callable[[Bonded], Found]] = {
    "circular": circular,
    "pairs": pairs,
    "torsions": torsions,
    "stereo": stereo,
}


def _combined(seeds: Hashes, values: Hashes | np.uint32) -> Hashes:
    """Boost's hash_combine."""
    return seeds ^ (values + np.uint32(0x9E3779B9) + (seeds << _SIX) + (seeds >> _TWO))


def _kinds(bonded: Bonded) -> Hashes:
    """Shape (a,): RDKit's connectivity invariants."""
    implicit = bonded.atom("hydrogens").astype(np.uint32)
    drawn = np.append(bonded.atom("element") == 1, [False])[bonded.neighbours]
    hydrogens = implicit + drawn.sum(axis=0, dtype=np.uint32)
    degrees = bonded.degrees.astype(np.uint32) + implicit
    charge = (bonded.atom("charge").astype(np.int32) - ATOM_SIZES["charge"] // 2).view(np.uint32)
    hashes = _combined(np.zeros_like(degrees), bonded.atom("element").astype(np.uint32))
    for values in (degrees, hydrogens, charge, np.uint32(0)):  # the last one is the isotope
        hashes = _combined(hashes, values)
    return np.where(bonded.atom("rings") > 0, _combined(hashes, np.uint32(1)), hashes)


def _widened(bonded: Bonded, hashes: Hashes, layer: int) -> Hashes:
    """Shape (a,): the hashes of atoms with those of their neighbours, lowest bond type first."""
    orders = np.append(_ORDERS[bonded.bond("order")] << np.uint64(32), np.uint64(0))
    around = orders[bonded.by] | np.append(hashes, np.uint32(0))[bonded.neighbours]
    around[bonded.neighbours == len(hashes)] = np.iinfo(np.uint64).max
    around.sort(axis=0)
    types, others = (around >> np.uint64(32)).astype(np.uint32), around.astype(np.uint32)
    each = _combined(_combined(np.zeros_like(types), types), others)
    wide = _combined(np.full_like(hashes, layer), hashes)
    for place in range(len(each)):
        wide = np.where(bonded.degrees > place, _combined(wide, each[place]), wide)
    return wide


def _bond_sets(bonded: Bonded) -> tuple[Words, Words]:
    """Shape (a,) each: a number for the bonds at an atom, and for those at it or a neighbour.

    Each bond has a random number, and a set the exclusive or of those of its bonds.
    """
    numbers = np.append(_random(len(bonded.bonds)), np.uint64(0))
    near = np.bitwise_xor.reduce(numbers[bonded.by], axis=0)
    far = np.bitwise_xor.reduce(np.append(near, np.uint64(0))[bonded.neighbours], axis=0)
    outer, middle, last = bonded.paths
    rings = outer == last  # the bond between two neighbours of an atom came twice
    np.bitwise_xor.at(far, outer[rings], numbers[middle[rings]])
    return near, far


def _random(count: int) -> Words:
    """Shape (count,): the same each time. Source: Steele et al. 2014, SplitMix64."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _atom_codes(bonded: Bonded) -> Hashes:
    """Shape (a,): type of element, pi electrons and branches, of pairs and torsions."""
    electrons = _PI[bonded.bond("order")]
    pi = np.bincount(bonded.ends[0], electrons, len(bonded.atoms))
    pi += np.bincount(bonded.ends[1], electrons, len(bonded.atoms))
    pi[bonded.atom("hybridization") == _SP3] = 0
    pi[bonded.atom("aromatic") == 1] = 1
    branches = (bonded.degrees % 7).astype(np.uint32)
    pi_bits = (pi % 3).astype(np.uint32) << np.uint32(3)
    return branches | pi_bits | (_ELEMENTS[bonded.atom("element")] << np.uint32(5))


@functools.cache
def _pair_tables() -> tuple[Hashes, Hashes]:
    """The hash of a pair's lower code and distance, and what it adds to the higher code."""
    codes = np.repeat(np.arange(_CODES + 1, dtype=np.uint32), MAX_DISTANCE + 1)
    apart = np.tile(np.arange(MAX_DISTANCE + 1, dtype=np.uint32), _CODES + 1)
    seeds = _combined(_combined(np.zeros_like(codes), codes), apart)
    return seeds, seeds ^ _combined(seeds, np.uint32(0))
