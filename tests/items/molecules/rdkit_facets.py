"""What RDKit computes of the probes, as one digest per thing: run with any release to record it.

    PYTHONPATH=. python -m tests.items.molecules.rdkit_facets

prints the line that belongs into `rdkit_digests.json`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from rdkit import Chem, RDLogger
from rdkit.Chem import Lipinski, rdFingerprintGenerator

from molkd.items.molecules.versions import PROBES, reading


def facets() -> dict[str, str]:
    """Returns name of a thing -> digest, and the version of RDKit."""
    mols = [Chem.MolFromSmiles(smiles) for smiles in PROBES]
    generators = {
        "atom-pair": rdFingerprintGenerator.GetAtomPairGenerator(),
        "topological-torsion": rdFingerprintGenerator.GetTopologicalTorsionGenerator(),
        "morgan": rdFingerprintGenerator.GetMorganGenerator(radius=2),
        "chiral morgan": rdFingerprintGenerator.GetMorganGenerator(radius=2, includeChirality=True),
    }
    return {
        **reading(),
        "rings": _digest(
            [sorted(len(ring) for ring in mol.GetRingInfo().AtomRings()) for mol in mols]
        ),
        "acceptors": _digest([Lipinski.NumHAcceptors(mol) for mol in mols]),
        **{
            name: _digest([_counts(generator, mol) for mol in mols])
            for name, generator in generators.items()
        },
    }


def _counts(generator: Any, mol: Chem.Mol) -> list[tuple[int, int]]:
    return sorted(generator.GetSparseCountFingerprint(mol).GetNonzeroElements().items())


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


if __name__ == "__main__":
    RDLogger.DisableLog("rdApp.*")  # pyright: ignore[reportAttributeAccessIssue]
    sys.stdout.write(f"{json.dumps(facets())}\n")
