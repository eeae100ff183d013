"""Atoms that a graph network cannot tell apart, found before it runs, so that it computes one.

After r rounds of message passing, the state of an atom is a function of its neighbourhood: of the
tree of atoms and bonds that is seen from it within r steps. Some hundred kinds of atoms make up
a library, some thousand neighbourhoods of one step, and every other atom of a phenyl ring has a
twin. Each round is therefore computed for distinct neighbourhoods only. This is exact: nothing is
approximated, and gradients add up as they would over all atoms.

Source: Weisfeiler and Leman 1968, for the refinement; Bollen et al. 2023, "Learning Graph Neural
Networks using Exact Compression" (arXiv 2304.14793), for its use here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from molkd.items.molecules import graph
from molkd.items.molecules.graph import Codes, Graphs, Indices
from molkd.types import ranges_of, starts_of

Hashes = npt.NDArray[np.uint64]

_OWN, *_BY_BOND = (
    np.random.default_rng(0).integers(2**63, size=1 + prod(graph.BOND_SIZES.values())) * 2 + 1
).astype(np.uint64)
"""Odd factors of an atom's own hash, and of a neighbour's by the number of the bond between."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of message passing: k distinct neighbourhoods, from those of the round before.

    Attributes:
        centres: shape (k,), the neighbourhood that its own atom had.
        senders: shape (e,), the neighbourhood that the sender of a message had.
        bonds: shape (e,), the kind of bond that a message comes by.
        receivers: shape (e,), the neighbourhood that a message arrives at, ascending.
        members: shape (a,), the neighbourhood of each atom of the batch.
    """

    centres: Tensor
    senders: Tensor
    bonds: Tensor
    receivers: Tensor
    members: Tensor

    def to(self, device: torch.device) -> Self:
        """Returns the round on a device."""
        fields = (self.centres, self.senders, self.bonds, self.receivers, self.members)
        return type(self)(*(field.to(device, non_blocking=True) for field in fields))

    def tiles(self, rows: int) -> Iterator[Self]:
        """Yields the neighbourhoods in order, some at a time; of the members it knows nothing."""
        firsts = list(range(0, max(1, len(self.centres)), rows))
        bounds = torch.searchsorted(self.receivers, torch.tensor([*firsts[1:], len(self.centres)]))
        before = 0
        for first, end in zip(firsts, bounds.tolist(), strict=True):
            yield type(self)(
                self.centres[first : first + rows],
                self.senders[before:end],
                self.bonds[before:end],
                self.receivers[before:end] - first,
                self.members[:0],
            )
            before = end


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """The distinct parts of a batch of graphs.

    Attributes:
        atoms: shape (k, number of atom features), codes of the distinct atoms.
        bonds: shape (l, number of bond features), codes of the distinct bonds.
        rounds: in order; the first is about the rows of `atoms`.
    """

    atoms: Tensor
    bonds: Tensor
    rounds: tuple[Round, ...]

    def to(self, device: torch.device) -> Self:
        """Returns the same on a device."""
        rounds = tuple(one.to(device) for one in self.rounds)
        atoms, bonds = (f.to(device, non_blocking=True) for f in (self.atoms, self.bonds))
        return type(self)(atoms, bonds, rounds)


def of(graphs: Graphs, rounds: int, *, merged: bool = True) -> Neighbourhoods:
    """Finds the distinct neighbourhoods of a batch.

    They are told apart by hashes of 64 bits: among the 65,536 atoms of a batch, two are confused
    in one of some 10^10 rounds.

    Args:
        graphs: the batch.
        rounds: how many rounds of message passing there will be.
        merged: False gives every atom a neighbourhood of its own, for networks that treat
            equal atoms differently, as dropout does.
    """
    numbered = _numbered if merged else _as_they_are
    senders, receivers, bonds = _edges(graphs)
    order = np.argsort(receivers, kind="stable")
    kinds, first = _numbered(_packed(bonds, graph.BOND_SIZES))
    senders, bond_of = senders[order], np.tile(kinds, 2)[order]
    counts = np.bincount(receivers, minlength=len(graphs.atoms))
    starts, factors = starts_of(counts), np.array(_BY_BOND)[bond_of]
    hashes = _mixed(_packed(graphs.atoms, graph.ATOM_SIZES))
    members, atoms = numbered(hashes)
    done: list[Round] = []
    for _ in range(rounds):
        hashes = _mixed(hashes * _OWN + _sums(hashes[senders] * factors, starts))
        after, chosen = numbered(hashes)
        arriving = ranges_of(starts[chosen], counts[chosen])
        indices = (
            members[chosen],
            members[senders[arriving]],
            bond_of[arriving],
            np.repeat(np.arange(len(chosen)), counts[chosen]),
            after,
        )
        done.append(Round(*map(torch.from_numpy, indices)))
        members = after
    atom_codes, bond_codes = graphs.atoms[atoms], graphs.bonds[first]
    return Neighbourhoods(_tensor(atom_codes), _tensor(bond_codes), tuple(done))


def _edges(graphs: Graphs) -> tuple[Indices, Indices, Codes]:
    """Senders and receivers of all messages, two per bond, and the bonds."""
    shift = np.repeat(graphs.atom_starts[:-1], np.diff(graphs.bond_starts))
    one, other = graphs.ends.T + shift
    return np.concatenate([one, other]), np.concatenate([other, one]), graphs.bonds


def _packed(codes: Codes, sizes: Mapping[str, int]) -> Hashes:
    """Shape (n,): one number per row, another for other codes."""
    factors = np.cumprod([1, *list(sizes.values())[:-1]], dtype=np.uint64)
    return codes.astype(np.uint64) @ factors


def _mixed(values: Hashes) -> Hashes:
    """Spreads every bit over all of them (two rounds of multiply and shift)."""
    values = values * np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(32)
    values *= np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(29)
    return values


def _sums(values: Hashes, starts: Indices) -> Hashes:
    """Shape (n,): the sums of n runs of values, some of them empty."""
    sums = np.zeros(len(starts) - 1, dtype=np.uint64)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        sums[filled] = np.add.reduceat(values, starts[filled])
    return sums


def _numbered(values: Hashes) -> tuple[Indices, Indices]:
    """Numbers of distinct values in the order in which they appear, and where each first does."""
    numbers = pa.array(values).dictionary_encode().indices.to_numpy().astype(np.int64)
    highest = np.maximum.accumulate(numbers)
    return numbers, np.flatnonzero(np.diff(highest, prepend=-1))


def _as_they_are(values: Hashes) -> tuple[Indices, Indices]:
    """Numbers that are all distinct."""
    numbers = np.arange(len(values))
    return numbers, numbers


def _tensor(codes: Codes) -> Tensor:
    return torch.from_numpy(codes.astype(np.int64))
