"""What a benchmark asks of a molecule's structure, remembered: tasks share many molecules."""

from __future__ import annotations

import functools

from molkd.items import splits
from molkd.items.molecules import chem, standardization
from molkd.items.molecules.standardization import Standardization

_REMEMBERED = 1 << 18


@functools.lru_cache(maxsize=_REMEMBERED)
def canonical(smiles: str, standardize: Standardization = "none") -> str | None:
    """Returns the canonical isomeric SMILES, or None where RDKit cannot read the molecule."""
    try:
        if standardize != "none":
            return standardization.standardize(smiles, standardize).smiles
        return chem.canonical_smiles(chem.parse(smiles))
    except chem.InvalidMoleculeError:
        return None


@functools.lru_cache(maxsize=_REMEMBERED)
def scaffold(smiles: str) -> str:
    """Returns what `splits.scaffold_split` groups by; the text itself if RDKit cannot read it."""
    try:
        return splits.scaffold(chem.parse(smiles))
    except chem.InvalidMoleculeError:
        return smiles


@functools.lru_cache(maxsize=64)
def clusters(smiles: tuple[str, ...]) -> tuple[str, ...]:
    """Returns what `splits.cluster_split` groups by; a text that RDKit cannot read is alone.

    Raises:
        ConfigError: there are too many molecules; see `splits.clusters`.
    """
    readable = [text for text in smiles if canonical(text) is not None]
    by_smiles = dict(zip(readable, splits.clusters(readable), strict=True))
    return tuple(by_smiles.get(text, text) for text in smiles)
