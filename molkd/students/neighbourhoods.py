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

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from molkd.formats import arrow
from molkd.items.molecules import graph
from molkd.items.molecules.packed import Codes, Graphs

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_OWN, *_ODD = (
    np.random.default_rng(0)
    .integers(2**63, size=1 + prod(graph.BOND_SIZES.values()))
    .astype(np.uint64)
) * np.uint64(2) + np.uint64(1)
_FACTORS: Hashes = np.array(_ODD)
"""By the number of a bond: what its neighbour's hash is multiplied by; an atom's own by `_OWN`."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of message passing: k distinct neighbourhoods, from those of the round before.

    Attributes:
        centres: shape (k,), the neighbourhood that its own atom had.
        senders: shape (e,), the neighbourhood that the sender of a message had.
        bonds: shape (e,), the kind of bond that a message comes by.
        starts: shape (k,), the first of the messages that arrive at each neighbourhood.
        members: shape (a,), the neighbourhood of each atom of the batch.
    """

    centres: Tensor
    senders: Tensor
    bonds: Tensor
    starts: Tensor
    members: Tensor

    def to(self, device: torch.device) -> Self:
        """Returns the round on a device."""
        fields = (self.centres, self.senders, self.bonds, self.starts, self.members)
        return type(self)(*(field.to(device, non_blocking=True) for field in fields))

    def tiles(self, rows: int) -> Iterator[Self]:
        """Yields the neighbourhoods in order, some at a time; of the members it knows nothing."""
        bounds = [*self.starts[::rows].tolist(), len(self.senders)]
        places = range(0, len(self.centres), rows)
        for place, (first, end) in zip(places, itertools.pairwise(bounds), strict=True):
            yield type(self)(
                self.centres[place : place + rows],
                self.senders[first:end],
                self.bonds[first:end],
                self.starts[place : place + rows] - first,
                self.members[:0],
            )


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
    senders, receivers = _ends(graphs)
    order = np.argsort(receivers, kind="stable")
    kinds, is_first = _numbered(_hashed(graphs.bonds))
    senders, receivers, by = senders[order], receivers[order], np.tile(kinds, 2)[order]
    counts = np.bincount(receivers, minlength=len(graphs.atoms))
    starts, lonely = np.cumsum(counts) - counts, np.flatnonzero(counts == 0)
    factors, arriving = _FACTORS[by], np.zeros(len(senders) + 1, dtype=np.uint64)
    hashes = _hashed(graphs.atoms)
    members, chosen = numbered(hashes)
    atoms, bonds = _tensor(graphs.atoms[chosen]), _tensor(graphs.bonds[is_first])
    done: list[Round] = []
    for _ in range(rounds):
        np.multiply(hashes[senders], factors, out=arriving[:-1])
        sums = np.add.reduceat(arriving, starts) if len(starts) else hashes
        sums[lonely] = 0
        hashes = _mixed(hashes * _OWN + sums)
        after, chosen = numbered(hashes)
        counted = np.flatnonzero(chosen[receivers])
        firsts = np.cumsum(counts[chosen]) - counts[chosen]
        messages = members[senders[counted]], by[counted], firsts.astype(np.int32)
        done.append(Round(*map(torch.from_numpy, (members[chosen], *messages, after))))
        members = after
    return Neighbourhoods(atoms, bonds, tuple(done))


def _ends(graphs: Graphs) -> tuple[Numbers, Numbers]:
    """Senders and receivers of all messages, two per bond."""
    shift = np.repeat(graphs.atom_starts[:-1].astype(np.int32), np.diff(graphs.bond_starts))
    one, other = graphs.ends.T + shift
    return np.concatenate([one, other]), np.concatenate([other, one])


def _hashed(codes: Codes) -> Hashes:
    """Shape (n,): a number per row, from its bytes."""
    count, width = codes.shape
    padded = np.zeros((count, -(-width // 8) * 8), dtype=np.uint8)
    padded[:, :width] = codes
    hashes = np.zeros(count, dtype=np.uint64)
    for word in padded.view(np.uint64).T:
        hashes = _mixed(hashes + word)
    return hashes


def _mixed(values: Hashes) -> Hashes:
    """Spreads every bit over all of them: two rounds of multiply and shift."""
    values = values * np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(32)
    values *= np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(29)
    return values


def _numbered(values: Hashes) -> tuple[Numbers, Flags]:
    """Numbers of distinct values in the order in which they appear, and where each first does."""
    numbers = arrow.numbers(arrow.number_array(values).dictionary_encode().indices).copy()
    highest = np.maximum.accumulate(numbers)
    is_first = np.ones(len(values), dtype=np.bool_)
    np.not_equal(highest[1:], highest[:-1], out=is_first[1:])
    return numbers, is_first


def _as_they_are(values: Hashes) -> tuple[Numbers, Flags]:
    """Numbers that are all distinct."""
    return np.arange(len(values), dtype=np.int32), np.ones(len(values), dtype=np.bool_)


def _tensor(codes: Codes) -> Tensor:
    return torch.from_numpy(codes.astype(np.int64))
