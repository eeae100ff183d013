"""Tanimoto similarity on ECFP4, the other opinion beside every cosine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molkd.items.molecules import chem
from molkd.types import Matrix

RADIUS, BITS = 2, 2048


def fingerprints(smiles: Sequence[str]) -> list[Any]:
    """Returns ECFP4 (2,048 bits) of each molecule; None where it cannot be read."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    found: list[Any] = [None] * len(smiles)
    bits, rows, _ = chem.read_all(lambda _, mol: generator.GetFingerprint(mol), smiles)
    for row, one in zip(rows, bits, strict=True):
        found[row] = one
    return found


def tanimoto(one: Any, others: Sequence[Any]) -> Matrix:
    """Returns the Tanimoto similarity of a fingerprint and others, shape (m,).

    NaN where a fingerprint is missing.
    """
    values = np.full(len(others), np.nan, dtype=np.float32)
    there = [place for place, other in enumerate(others) if other is not None]
    if one is not None and there:
        values[there] = DataStructs.BulkTanimotoSimilarity(one, [others[row] for row in there])
    return values
