"""Packed graphs seen from their atoms: neighbours, paths and distances, a whole chunk at a time."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from molkd.items.molecules.graph import ATOM_SIZES, BOND_SIZES, Graphs
from molkd.types import starts_of

Codes = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

MAX_DISTANCE = 30
"""Bonds between two atoms above which they are too far apart to count."""

_ATOM = {name: column for column, name in enumerate(ATOM_SIZES)}
_BOND = {name: column for column, name in enumerate(BOND_SIZES)}
_WORD, _DIGITS = 64, 5
_ONE, _ALL = np.uint64(1), np.iinfo(np.uint64).max
_FEW = 1 << 16
"""Atoms that 16 bits can count, which NumPy sorts in linear time."""


@dataclass(frozen=True)
class Bonded:
    """The atoms of a chunk of graphs with their neighbours.

    Attributes:
        atoms: shape (a, number of atom features), codes.
        bonds: shape (m, number of bond features), codes.
        starts: shape (n + 1,), where each graph's atoms begin.
        ends: shape (2, m), the atoms that each bond joins, counted over the chunk.
        degrees: shape (a,), bonds of each atom.
        neighbours: shape (most bonds of an atom, a), atoms; a where there are no more.
        by: shape (most bonds of an atom, a), bonds to them; m where there are no more.
        places: shape (2, m), at which place among the neighbours of either end its other end is.
    """

    atoms: Codes
    bonds: Codes
    starts: Indices
    ends: Indices
    degrees: Indices
    neighbours: Indices
    by: Indices
    places: Indices

    @classmethod
    def of(cls, graphs: Graphs) -> Self:
        """Returns the atoms of graphs."""
        count, joins = len(graphs.atoms), len(graphs.bonds)
        shift = np.repeat(graphs.atom_starts[:-1], np.diff(graphs.bond_starts))
        ends = (graphs.ends + shift[:, None]).T
        sources, targets = ends.reshape(-1), ends[::-1].reshape(-1)
        degrees = np.bincount(sources, minlength=count)
        order = np.argsort(sources.astype(np.uint16) if count < _FEW else sources, kind="stable")
        places = np.empty(2 * joins, dtype=np.int64)
        places[order] = np.arange(2 * joins) - np.repeat(starts_of(degrees)[:-1], degrees)
        shape = (int(degrees.max(initial=0)), count)
        neighbours, by = np.full(shape, count), np.full(shape, joins)
        neighbours[places, sources] = targets
        by[places, sources] = np.tile(np.arange(joins), 2)
        return cls(
            graphs.atoms,
            graphs.bonds,
            graphs.atom_starts,
            ends,
            degrees,
            neighbours,
            by,
            places.reshape(2, joins),
        )

    def atom(self, feature: str) -> Codes:
        """Shape (a,): the codes of a feature."""
        return self.atoms[:, _ATOM[feature]]

    def bond(self, feature: str) -> Codes:
        """Shape (m,): the codes of a feature."""
        return self.bonds[:, _BOND[feature]]

    @functools.cached_property
    def paths(self) -> tuple[Indices, Indices, Indices]:
        """Atom, bond in the middle, and atom of each path of three bonds; shape (p,) each.

        A ring of three bonds is there three times, and its atoms are the same.
        """
        before, after = self.degrees[self.ends] - 1
        middle = np.repeat(np.arange(len(before)), before * after)
        turn = np.arange(len(middle)) - np.repeat(starts_of(before * after)[:-1], before * after)
        outer, last = np.divmod(turn, after[middle])
        outer += outer >= self.places[0, middle]  # not back along the bond
        last += last >= self.places[1, middle]
        one, other = self.ends[:, middle]
        return self.neighbours[outer, one], middle, self.neighbours[last, other]

    def distances(self) -> tuple[Indices, Indices, Indices]:
        """Returns the pairs of atoms that are 1 to 30 bonds apart, each once.

        Returns:
            Atoms, atoms, and bonds between them; shape (number of pairs,) each.
        """
        sizes = np.diff(self.starts)
        local = np.arange(len(self.atoms)) - np.repeat(self.starts[:-1], sizes)
        words = np.repeat((sizes - 1) // _WORD, sizes)  # large graphs do not slow the others down
        found = [_spread(self, np.flatnonzero(words == size), local) for size in np.unique(words)]
        first, second, steps = zip(*found, strict=True) if found else ([], [], [])
        none = [np.zeros(0, dtype=np.int64)]
        return (
            np.concatenate([*first, *none]),
            np.concatenate([*second, *none]),
            np.concatenate([*steps, *none]),
        )


def _spread(bonded: Bonded, atoms: Indices, local: Indices) -> tuple[Indices, Indices, Indices]:
    """The distances within some graphs.

    Each atom has a bit for every atom of its graph, set when it comes within reach. The step at
    which it was set is kept in five more bits, one per binary digit.

    Args:
        bonded: the chunk.
        atoms: shape (k,), those of the graphs, ascending.
        local: shape (a,), numbers of all atoms within their graphs.

    Returns:
        See `Bonded.distances`.
    """
    count, local = len(atoms), local[atoms]
    words = int(local.max(initial=0)) // _WORD + 1
    place = np.full(len(bonded.atoms) + 1, count)
    place[atoms] = np.arange(count)
    around = place[bonded.neighbours[:, atoms]]
    reach = np.zeros((words, count + 1), dtype=np.uint64)
    reach[local // _WORD, np.arange(count)] = _ONE << (local % _WORD).astype(np.uint64)
    digits = np.zeros((_DIGITS, words, count), dtype=np.uint64)
    for step in range(1, MAX_DISTANCE + 1):
        wider = reach.copy()
        for neighbours in around:
            wider[:, :-1] |= reach.take(neighbours, axis=1)
        new = (wider ^ reach)[:, :-1]
        if not new.any():
            break
        for digit in range(_DIGITS):
            if step >> digit & 1:
                digits[digit] |= new
        reach = wider
    steps = _bits(digits[0])
    for power in range(1, _DIGITS):
        steps |= _bits(digits[power]) << power
    there = np.flatnonzero(_bits(reach[:, :-1] & _later(local, words)).view(np.bool_))
    first = np.repeat(np.arange(count), words).take(there >> 6)
    second = (atoms - local - np.arange(count) * words * _WORD).take(first) + there
    return atoms.take(first), second, steps.take(there).astype(np.int64)


def _later(local: Indices, words: int) -> Words:
    """Shape (words, k): bits of the atoms that come after each atom in its graph."""
    own = local // _WORD
    later = np.where(np.arange(words)[:, None] > own, _ALL, np.uint64(0))
    later[own, np.arange(len(local))] = (_ALL << (local % _WORD).astype(np.uint64)) << _ONE
    return later


def _bits(words: Words) -> Codes:
    """The bits of words of shape (w, k), atom by atom, the lowest first; shape (64 * w * k,)."""
    return np.unpackbits(words.T.astype("<u8").reshape(-1).view(np.uint8), bitorder="little")
