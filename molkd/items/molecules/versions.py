"""Which RDKit reads the molecules: releases differ in what they compute of the same molecule."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping

import rdkit

from molkd.items.molecules import chem, graph

PROBES = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](N)C(=O)N[C@@H](CS)C(=O)O",
    r"C/C=C/C=C\C(=O)/N=C/c1ccc(I)cc1",
    "C[C@H]1CC[C@@H](C)CC1",
    "CC[C@@H]1C[C@H]2CC[C@]1(C)C2=O",
    "C1C2CC3CC1CC(C2)C3",
    "C12C3C4C1C5C2C3C45",
    "c1ccc2c(c1)c1cccc3cccc2c31",
    "C1=CC2=CC=CC2=C1.O=c1cc[nH]c2ccccc12",
    "[CH-]1C=CC=C1.[CH-]1C=CC=C1.[Fe+2]",
    "N[Pt](N)(Cl)Cl",
    "CN=[N+]=[N-].C[N+](=O)[O-].[C-]#[O+]",
    "C[S@](=O)c1ccccc1.O=S(=O)(N)c1ccsc1",
    "C[P@](=O)(O)c1ccccc1.F[P-](F)(F)(F)(F)F",
    "[CH2]C.[O]O.[Na+].[Cl-].*CC",
    "OB(O)c1ccccc1.C[Si](C)(C)O.C[Se]C",
    "O=C1c2ccccc2C(=O)c2ccccc12.c1ccc2cccc-2cc1",
    r"C(=C/c1ccccc1)\c1ccccc1",
    r"C(=C/c1cccs1)\CN1CCC(CCOC(c2ccccc2)c2ccccc2)CC1",
    "C12C3C4C5C6C1C7C2C8C3C9C4C%10C5C%11C6C7C%12C8C9C%10C%11C%12",
    "O=c1[nH]n2ccccc2c1Br.Cn1cc2c(n1)-c1ccccc1CCC2",
    "C[C@](F)(I)c1ccc(I)cc1",
)
"""Molecules in which releases of RDKit have differed, or may."""


@functools.cache
def reading(features: int = graph.FEATURES_VERSION) -> Mapping[str, str]:
    """Returns the version of RDKit, and digests of how it writes and a student reads `PROBES`.

    Equal digests mean that two releases can be used for each other.

    Args:
        features: version of the student's features.
    """
    graphs = graph.featurizer(features)(PROBES)
    arrays = (graphs.atoms, graphs.bonds, graphs.ends, graphs.atom_starts, graphs.bond_starts)
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays))
    texts = [chem.canonical_smiles(chem.parse(smiles)) for smiles in PROBES]
    return {
        "rdkit": rdkit.__version__,
        "features": digest.hexdigest()[:16],
        "smiles": hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16],
    }
