"""What is packed is the molecule as RDKit draws it; test_map_page reads it as the page does."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from rdkit import Chem

from molkd.items.molecules import chem
from molkd.library.maps import depictions
from tests.fakes.hostile import SMILES


def _unpacked(data: bytes) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Per molecule atoms (5, n), places (n, 2) in Å, and bonds (m, 4), from the bytes alone."""
    count, atoms, bonds = np.frombuffer(data[:12], "<u4")
    columns, at = [], 12
    for length in [count] * 2 + [atoms] * 5 + [bonds] * 3:
        low, high = (np.frombuffer(data[at + i * length :][:length], np.uint8) for i in (0, 1))
        columns.append(low.astype(int) + 256 * high.astype(int))
        at += 2 * length
    assert at == len(data)
    found = []
    atom = bond = 0
    for size, edges in zip(*columns[:2], strict=True):
        mine = [column[atom : atom + size] for column in columns[2:7]]
        table, end, bound = [], 0, {}
        for later, back, kind in zip(*(c[bond : bond + edges] for c in columns[7:]), strict=True):
            end += later
            bound.setdefault(end, end - back)
            table.append((end, end - back, kind & 127, kind >> 7))
        steps = [(x >> 1) ^ -(x & 1) for x in mine[3:]]
        places = np.zeros((size + 1, 2), dtype=int)
        for i in range(size):
            places[i] = places[bound.get(i, i - 1)] + (steps[0][i], steps[1][i])
        found.append((np.array(mine), places[:size] * depictions.UNIT, np.array(table)))
        atom, bond = atom + size, bond + edges
    return found


def test_atoms_places_and_bonds_are_those_of_rdkit() -> None:
    mols = [depictions.drawn(smiles) for smiles in SMILES]
    read = _unpacked(zlib.decompress(depictions.block(SMILES)))
    for mol, (atoms, places, bonds) in zip(mols, read, strict=True):
        assert mol.GetNumAtoms() == len(places) > 0
        assert [atom.GetAtomicNum() for atom in mol.GetAtoms()] == (atoms[0] & 255).tolist()
        assert [atom.GetTotalNumHs() for atom in mol.GetAtoms()] == (atoms[0] >> 8).tolist()
        assert [atom.GetIsotope() for atom in mol.GetAtoms()] == atoms[2].tolist()
        expected = mol.GetConformer().GetPositions()[:, :2]
        np.testing.assert_allclose(places, expected, atol=0.51 * depictions.UNIT)
        pairs = {frozenset((b.GetBeginAtomIdx(), b.GetEndAtomIdx())) for b in mol.GetBonds()}
        assert pairs == {frozenset((end, start)) for end, start, *_ in bonds.tolist()}


def test_drawing_changes_no_molecule() -> None:
    for smiles in SMILES:
        mol = depictions.drawn(smiles)
        Chem.SanitizeMol(mol)
        assert Chem.MolToSmiles(mol) == Chem.MolToSmiles(chem.parse(smiles))


@pytest.mark.parametrize("smiles", ["", "no molecule", "C(C)(C)(C)(C)C"])
def test_what_cannot_be_read_keeps_its_place_without_atoms(smiles: str) -> None:
    read = _unpacked(zlib.decompress(depictions.block(["CCO", smiles, "CC"])))
    assert [len(places) for _, places, _ in read] == [3, 0, 2]


def test_any_number_of_processes_packs_the_same_bytes() -> None:
    many = ["CCO", "c1ccccc1"] * depictions.BLOCK
    assert list(depictions.blocks(many, jobs=2)) == list(depictions.blocks(many))
    assert len(list(depictions.blocks(many[: depictions.BLOCK + 1]))) == 2
