"""Fingerprints equal RDKit's own, and say what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import MACCSkeys, rdFingerprintGenerator, rdReducedGraphs
from rdkit.Chem.AtomPairs import Pairs, Torsions

from molkd import teachers
from molkd.teachers.rdkit.fingerprints import (
    AtomPairTeacher,
    MaccsTeacher,
    MorganTeacher,
    RDKitPathTeacher,
    TopologicalTorsionTeacher,
)
from molkd.teachers.rdkit.pharmacophores import Cats2dTeacher, ErgTeacher

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "Clc1ccccc1C2=NCC(=O)Nc3c2cc(cc3)[N+](=O)[O-]",
    "NCCC(O)CC(=O)[O-].[Na+]",
    "O=C(O)c1ccccc1O",
    "CCCCCCCC",
    "C",
]
MOLS = [Chem.MolFromSmiles(smiles) for smiles in DRUGS]


def _bits(fingerprint: Callable[[Chem.Mol], Any]) -> Any:
    return np.array([list(fingerprint(mol)) for mol in MOLS])


@pytest.mark.parametrize("radius", [2, 3])
def test_ecfp_bits_are_counts_above_zero(radius: int) -> None:
    bits = MorganTeacher(radius=radius).transform(DRUGS)
    counts = MorganTeacher(radius=radius, counts=True).transform(DRUGS)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=2048)
    np.testing.assert_array_equal(bits, _bits(generator.GetFingerprint))
    np.testing.assert_array_equal(bits, counts > 0)
    assert counts.max() > 1


def test_fcfp_tells_fewer_atoms_apart() -> None:
    assert teachers.make("fcfp4").card.options["features"] is True
    halogens = ["Clc1ccccc1", "Brc1ccccc1"]
    ecfp, fcfp = (
        MorganTeacher(features=features).transform(halogens) for features in (False, True)
    )
    assert (ecfp[0] != ecfp[1]).any()
    np.testing.assert_array_equal(fcfp[0], fcfp[1])


def test_atom_pairs_are_all_counted() -> None:
    counts = AtomPairTeacher().transform(DRUGS)
    expected = [
        sum(Pairs.GetAtomPairFingerprint(m).GetNonzeroElements().values()) for m in MOLS[:4]
    ]
    assert counts[:4].sum(axis=1).tolist() == expected
    atoms = MOLS[0].GetNumAtoms()
    assert counts[0].sum() == atoms * (atoms - 1) / 2
    assert counts[-1].sum() == 0


def test_torsions_are_all_counted() -> None:
    counts = TopologicalTorsionTeacher().transform(DRUGS)
    octane = Torsions.GetTopologicalTorsionFingerprintAsIntVect(MOLS[6])
    assert counts[6].sum() == sum(octane.GetNonzeroElements().values()) == 5


@pytest.mark.parametrize("family", [AtomPairTeacher, TopologicalTorsionTeacher, MorganTeacher])
def test_stereo_counts_only_where_asked_for(family: Any) -> None:
    pair = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"]
    without, with_it = (family(chirality=chirality).transform(pair) for chirality in (False, True))
    np.testing.assert_array_equal(without[0], without[1])
    assert (with_it[0] != with_it[1]).any()
    assert family(chirality=True).card.digest != family().card.digest


def test_maccs_dimension_k_is_key_k() -> None:
    values = MaccsTeacher().transform(DRUGS)
    np.testing.assert_array_equal(values, _bits(MACCSkeys.GenMACCSKeys))
    names = MaccsTeacher().get_feature_names_out().tolist()
    assert names[160] == "maccs_160"  # a methyl group
    assert values[0, 160] == 1
    assert values[5, 160] == 0


def test_width_is_an_option() -> None:
    teacher = RDKitPathTeacher(width=512)
    assert teacher.transform(DRUGS).shape == (len(DRUGS), 512)
    assert teacher.card.digest != RDKitPathTeacher().card.digest
    with pytest.raises(ValueError, match="'width' parameter of RDKitPathTeacher"):
        RDKitPathTeacher(width=0).transform(DRUGS)


def test_erg_is_rdkits() -> None:
    np.testing.assert_allclose(
        ErgTeacher().transform(DRUGS), _bits(rdReducedGraphs.GetErGFingerprint), rtol=1e-6
    )


def test_cats2d_equals_molfeats() -> None:
    from molfeat.calc.cats import CATS

    original = CATS()
    columns = [
        original.columns.index(f"{pair}.bins-{bonds}")
        for _, pair, bonds in (name.split("_") for name in Cats2dTeacher().get_feature_names_out())
    ]
    expected = np.array([original(mol) for mol in MOLS])[:, columns]
    np.testing.assert_array_equal(Cats2dTeacher().transform(DRUGS), expected)
    assert expected.max() > 20


def test_a_molecule_that_rdkit_did_not_sanitise_is_sanitised() -> None:
    raw = Chem.MolFromSmiles("c1ccccc1O", sanitize=False)
    embedded = MorganTeacher().embed(["c1ccccc1O", raw])
    assert not embedded.failures
    np.testing.assert_array_equal(embedded.values[0], embedded.values[1])
