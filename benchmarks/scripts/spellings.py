"""Counts how often a student's embedding depends on how a molecule is written.

    python -m molkd.benchmarks.scripts.spellings --from FILE --count 10000 --model molkd-small

Molecules are drawn from the file and written as random SMILES; it ends with an error where an
embedding lies further than `--tolerance` from that of the molecule's own line.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

import molkd
from molkd.benchmarks.quality import leakage
from molkd.errors import MolkdError
from molkd.students import shipped
from molkd.types import Matrix

_CHUNK = 2048


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found.

    Attributes:
        molecules: how many were embedded.
        unread: how many could not be.
        largest: largest absolute difference of any dimension.
        worst: the molecule that has it.
        beyond: how many molecules have a difference above the tolerance, or a spelling that cannot
            be read.
    """

    molecules: int
    unread: int
    largest: float
    worst: str
    beyond: int


def compare(
    student: Any, smiles: Sequence[str], *, spellings: int, tolerance: float, seed: int
) -> Compared:
    """Embeds molecules in several spellings.

    Args:
        student: reads SMILES.
        smiles: one per molecule.
        spellings: random SMILES of each.
        tolerance: largest difference that does not count.
        seed: of the random SMILES.
    """
    differences = np.concatenate(
        [
            _differences(student, smiles[start : start + _CHUNK], spellings, seed)
            for start in range(0, len(smiles), _CHUNK)
        ]
    )
    read = ~np.isnan(differences)
    worst = int(np.nanargmax(differences)) if read.any() else 0
    return Compared(
        molecules=int(read.sum()),
        unread=int((~read).sum()),
        largest=float(differences[worst]),
        worst=smiles[worst],
        beyond=int((differences[read] > tolerance).sum()),
    )


def _differences(student: Any, smiles: Sequence[str], spellings: int, seed: int) -> Matrix:
    """Shape (n,): largest difference of each molecule, NaN where its own line cannot be read."""
    own = student.embed(smiles).values
    largest = np.where(np.isnan(own[:, 0]), np.nan, 0).astype(np.float32)
    rows = np.flatnonzero(~np.isnan(own[:, 0]))
    written = [
        Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles[int(row)]), spellings, randomSeed=seed)
        for row in rows
    ]
    for spelling in zip(*written, strict=True):
        other = np.abs(student.embed(spelling).values - own[rows]).max(axis=1)
        largest[rows] = np.maximum(largest[rows], np.nan_to_num(other, nan=np.inf))
    return largest


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws, compares, and says what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--model", default=shipped.DEFAULT)
    parser.add_argument("--spellings", type=int, default=5)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        smiles = list(leakage.molecules(options.source))
        order = np.random.default_rng(options.seed).permutation(len(smiles))[: options.count]
        found = compare(
            molkd.load(options.model),
            [smiles[row] for row in order.tolist()],
            spellings=options.spellings,
            tolerance=options.tolerance,
            seed=options.seed,
        )
    except MolkdError as error:
        parser.error(str(error))
    print(
        f"{found.molecules} molecules in {options.spellings} random SMILES each ({found.unread} "
        f"could not be read): largest difference {found.largest:.1e} ({found.worst}), "
        f"{found.beyond} beyond {options.tolerance:g}"
    )
    if found.beyond:
        parser.exit(1)


if __name__ == "__main__":
    main()
