"""Conformers: the same for a compound however it is written, bounded, with reasons."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from rdkit import Chem

from molkd.items.molecules import chem
from molkd.teachers.conformers import geometry


def _of(smiles: str, *numbers: int) -> Chem.Mol | str:
    return geometry.with_conformers(chem.parse_canonical(smiles), numbers or (0,))


def _where(smiles: str, *numbers: int) -> list[geometry.Positions]:
    made = _of(smiles, *numbers)
    assert isinstance(made, Chem.Mol), made
    return geometry.positions(made)


def _distances(where: geometry.Positions) -> geometry.Positions:
    return np.linalg.norm(where[:, None] - where, axis=2)


def test_every_spelling_has_the_same_conformer() -> None:
    one, other = (_where(smiles)[0] for smiles in ("OC(=O)Cc1ccccc1", "c1cccc(CC(O)=O)c1"))
    np.testing.assert_array_equal(one, other)


def test_each_number_is_another_conformer() -> None:
    drawn = _where("OCC(N)CCCC(=O)Nc1ccccc1", 0, 1, 2, 3)
    for place, one in enumerate(drawn):
        for other in drawn[:place]:
            assert np.abs(_distances(one) - _distances(other)).max() > 0.5
    np.testing.assert_array_equal(drawn[2], _where("OCC(N)CCCC(=O)Nc1ccccc1", 2)[0])


def test_another_process_gives_the_same_bits() -> None:
    smiles = "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O"
    code = (
        "from molkd.items.molecules import chem; from molkd.teachers.conformers import geometry;"
        f"mol = geometry.with_conformers(chem.parse_canonical({smiles!r}), [3]);"
        "print(geometry.positions(mol)[0].tobytes().hex())"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == _where(smiles, 3)[0].tobytes().hex()


def test_the_molecule_stays_as_it_was() -> None:
    mol = chem.parse_canonical("CCO")
    made = geometry.with_conformers(mol, [0])
    assert isinstance(made, Chem.Mol)
    assert (mol.GetNumAtoms(), mol.GetNumConformers()) == (3, 0)
    assert (made.GetNumAtoms(), made.GetNumConformers()) == (9, 1)


def test_bonds_have_the_lengths_of_their_force_field() -> None:
    distances = _distances(_where("C")[0])
    np.testing.assert_allclose(distances[0, 1:], 1.092, atol=0.005)


@pytest.mark.parametrize("smiles", ["CCN.Cl", "OC(=O)c1ccccc1.OC(=O)c1ccccc1", "[Na+].[Cl-]"])
def test_parts_of_a_compound_stand_apart(smiles: str) -> None:
    made = _of(smiles)
    assert isinstance(made, Chem.Mol)
    one, other = Chem.GetMolFrags(made)
    distances = _distances(geometry.positions(made)[0])
    assert distances[np.ix_(one, other)].min() >= geometry.APART - 1e-6


@pytest.mark.parametrize("smiles", ["[H][H]", "O", "[H+]", "C[Si](C)(C)C", "CCCC[Sn](C)(C)C"])
def test_small_and_rare_ones_have_conformers(smiles: str) -> None:
    assert isinstance(_of(smiles), Chem.Mol)


def test_what_no_force_field_knows_has_a_reason() -> None:
    assert _of("*CC") == "neither MMFF94 nor UFF has parameters for all atoms"


def test_what_cannot_be_embedded_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "ATTEMPTS", {False: 1, True: 1})
    cage = "C12C3C4C5C6C1C7C2C8C3C9C4C%10C5C%11C6C7C%12C8C9C%10C%11C%12"  # dodecahedrane
    geometry._positions.cache_clear()
    reasons = {_of(smiles) for smiles in (cage, "C1#CC2CC1C2") if isinstance(_of(smiles), str)}
    geometry._positions.cache_clear()
    assert reasons == {"no conformer in 2 attempts of RDKit's ETKDGv3"}


def test_atoms_within_atoms_have_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "CLOSEST", 2.0)
    geometry._positions.cache_clear()
    assert _of("CCS") == "atoms of its conformer are 1.09 Å apart"
    geometry._positions.cache_clear()
