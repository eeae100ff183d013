"""Compounds of several scaffolds with labels that their structure explains."""

from __future__ import annotations

from pathlib import Path

RINGS = (
    *("c1ccccc1", "c1ccncc1", "c1ccoc1", "C1CCCCC1", "C1CCNCC1", "c1ccc2ccccc2c1"),
    *("C1COCCN1", "c1ccsc1", "c1cnc2ccccc2c1", "C1CCCC1", "c1ccc2[nH]ccc2c1", "C1CCOC1"),
)
CHAINS = ("C", "CC", "CCO", "CCCC", "CCN")
SMILES = [chain + ring for ring in RINGS for chain in CHAINS]
VALUES = [len(chain) + 0.1 * len(ring) for ring in RINGS for chain in CHAINS]
CLASSES = ["active" if len(chain) > 2 else "inactive" for _ in RINGS for chain in CHAINS]


def table(path: Path, column: str, labels: object, smiles: object = SMILES) -> Path:
    """Writes a table of measured compounds."""
    assert isinstance(labels, list)
    assert isinstance(smiles, list)
    rows = [f"{text},{label}" for text, label in zip(smiles, labels, strict=True)]
    path.write_text("\n".join([f"smiles,{column}", *rows]) + "\n")
    return path
