"""Substructures are hashed as RDKit hashes them, whatever the order of atoms."""

from __future__ import annotations

from collections import Counter

import datamol as dm
import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from molkd.items.molecules import counts, graph
from molkd.items.molecules.bonded import Bonded
from molkd.items.molecules.substructures import BLOCKS
from tests.fakes.compounds import DIFFERENT, HARD, SAME

WIDTH = 2048
SMILES = [
    *dm.data.chembl_samples()["smiles"][:500],
    *HARD,
    "C" * 70,
    "C" * 200,
    ".".join(["C1CCC1"] * 40),
]
GENERATORS = {
    "circular": rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=WIDTH),
    "pairs": rdFingerprintGenerator.GetAtomPairGenerator(fpSize=WIDTH),
    "torsions": rdFingerprintGenerator.GetTopologicalTorsionGenerator(fpSize=WIDTH),
}
THREE = Chem.MolFromSmarts("*1**1")


def _found(smiles: list[str], block: str) -> list[Counter[int]]:
    """The hashes of each molecule, by how often they occur."""
    graphs = graph.featurize(smiles)
    atoms, hashes = BLOCKS[block](Bonded.of(graphs))
    found: list[Counter[int]] = [Counter() for _ in smiles]
    rows = np.searchsorted(graphs.atom_starts, atoms, side="right") - 1
    for row, hashed in zip(rows.tolist(), hashes.tolist(), strict=True):
        found[row][hashed] += 1
    return found


def _folded(found: Counter[int]) -> np.ndarray:
    row = np.zeros(WIDTH, dtype=np.int64)
    for hashed, count in found.items():
        row[hashed % WIDTH] += count
    return row


@pytest.mark.parametrize("block", list(GENERATORS))
def test_hashes_are_those_of_rdkit(block: str):
    in_rings = 0
    for smiles, found in zip(SMILES, _found(SMILES, block), strict=True):
        mol = graph.as_read(smiles)
        expected = GENERATORS[block].GetCountFingerprintAsNumPy(mol).astype(np.int64)
        difference = np.abs(_folded(found) - expected)
        if block == "torsions" and mol.HasSubstructMatch(THREE):
            in_rings += 1
            # RDKit begins the torsion of a ring of three at an atom that depends on their order.
            assert difference.sum() <= 2 * len(mol.GetSubstructMatches(THREE)), smiles
        else:
            assert not difference.any(), smiles
    assert in_rings > 0 or block != "torsions"


@pytest.mark.parametrize("block", list(BLOCKS))
def test_the_order_of_atoms_does_not_matter(block: str):
    others = [
        Chem.MolToSmiles(Chem.MolFromSmiles(smiles), doRandom=True, canonical=False)
        for smiles in SMILES
    ]
    assert _found(SMILES, block) == _found(others, block)


def test_stereoisomers_are_told_apart_and_by_the_block_of_their_own_alone():
    for kind in ("enantiomers", "E and Z", "cis and trans of a ring", "sulfoxides", "E and none"):
        one, other = DIFFERENT[kind]
        for block in BLOCKS:
            first, second = _found([one, other], block)
            assert (first != second) == (block == "stereo"), (kind, block)


@pytest.mark.parametrize("kind", DIFFERENT)
def test_different_compounds_count_differently(kind: str):
    found = counts.Counting(("circular", "torsions", "stereo"))(DIFFERENT[kind])
    assert _row(found, 0) != _row(found, 1)


@pytest.mark.parametrize("kind", SAME)
def test_what_a_graph_does_not_tell_apart_counts_do_not_either(kind: str):
    found = counts.Counting(tuple(BLOCKS))(SAME[kind])
    assert _row(found, 0) == _row(found, 1)


def _row(found: counts.CountedGraphs, place: int) -> list[tuple[int, int]]:
    there = slice(*found.starts[place : place + 2])
    return list(zip(found.columns[there].tolist(), found.counts[there].tolist(), strict=True))
