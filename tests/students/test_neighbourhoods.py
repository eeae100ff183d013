"""Atoms have the same number where their neighbourhoods are equal, and only there."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from molkd.items.molecules.graph import Graphs, featurize
from molkd.students import neighbourhoods
from tests.fakes.compounds import HARD

SMILES = [
    "C",
    "CC(=O)Oc1ccccc1C(=O)O",
    "C1CCCCC1",
    "CCCCCCCC",
    "[Na+].[Cl-]",
    "F/C=C/F",
    *HARD,
]


def _trees(graphs: Graphs, depth: int) -> list[str]:
    """What is seen from every atom within some steps, written out."""
    shift = np.repeat(graphs.atom_starts[:-1], np.diff(graphs.bond_starts))
    beside: dict[int, list[tuple[str, int]]] = {}
    for (one, other), bond in zip((graphs.ends.T + shift).T.tolist(), graphs.bonds, strict=True):
        beside.setdefault(one, []).append((str(bond.tolist()), other))
        beside.setdefault(other, []).append((str(bond.tolist()), one))
    own = [str(codes.tolist()) for codes in graphs.atoms]
    seen, names = own, cache(str)
    for _ in range(depth):
        around = [
            sorted(bond + seen[at] for bond, at in beside.get(i, [])) for i in range(len(own))
        ]
        seen = [names((seen[i], *around[i])) for i in range(len(own))]
    return seen


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_numbers_are_those_of_the_trees(rounds: int) -> None:
    read = featurize(SMILES)
    found = neighbourhoods.of(read, rounds)
    assert len(found.rounds) == rounds
    for depth, step in enumerate(found.rounds, 1):
        numbers: dict[str, int] = {}
        expected = [numbers.setdefault(tree, len(numbers)) for tree in _trees(read, depth)]
        assert step.members.tolist() == expected
        assert len(step.centres) == len(step.starts) == len(numbers)


def test_unmerged_every_atom_has_its_own() -> None:
    read = featurize(SMILES)
    for step in neighbourhoods.of(read, 2, merged=False).rounds:
        assert step.members.tolist() == list(range(len(read.atoms)))
        assert len(step.senders) == 2 * len(read.bonds)


def test_tiles_are_all_of_a_round() -> None:
    (step,) = neighbourhoods.of(featurize(SMILES), 1).rounds
    tiles = list(step.tiles(5))
    assert torch.equal(torch.cat([tile.centres for tile in tiles]), step.centres)
    assert torch.equal(torch.cat([tile.senders for tile in tiles]), step.senders)
    assert torch.equal(torch.cat([tile.bonds for tile in tiles]), step.bonds)
    counts = [torch.diff(t.starts, append=torch.tensor([len(t.senders)])) for t in tiles]
    expected = torch.diff(step.starts, append=torch.tensor([len(step.senders)]))
    assert torch.equal(torch.cat(counts), expected)


def test_a_batch_without_atoms_or_bonds() -> None:
    for smiles, atoms in ((["xx"], 0), (["C", "O"], 2)):
        for step in neighbourhoods.of(featurize(smiles), 2).rounds:
            assert len(step.members) == len(step.centres) == atoms
            assert len(step.senders) == 0
            assert len(list(step.tiles(1))) == atoms
