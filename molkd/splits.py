"""Rows for training and rows for validation: disjoint, seeded, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from molkd import chem
from molkd.errors import ConfigError
from molkd.types import Rows


def random_split(keys: Sequence[str], *, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Splits rows at random; equal keys always fall on the same side.

    Which keys are drawn depends on the seed and on the keys, not on the order of the rows.

    Args:
        keys: one per row; canonical SMILES keep duplicate structures together.
        fraction: share of the rows wanted for validation, between 0 and 1.
        seed: another seed gives another split.

    Returns:
        Rows for training and rows for validation, ascending, together all rows. Both hold at
        least one, so validation may exceed its share where there are few keys.

    Raises:
        ConfigError: the fraction is out of range, or all rows share one key.
    """
    return _split(keys, fraction, seed, unit="item")


def scaffold_split(smiles: Sequence[str], *, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Splits molecules so that no Bemis-Murcko scaffold is on both sides.

    Scaffolds are drawn at random and taken without stereochemistry. A molecule without rings has
    none: its whole structure without stereochemistry counts as its scaffold, for one common group
    of all such molecules could be half of a corpus.

    Args:
        smiles: one per row, all of them valid.
        fraction: see `random_split`.
        seed: see `random_split`.

    Returns:
        See `random_split`.

    Raises:
        ConfigError: the fraction is out of range, all rows share one scaffold, or a SMILES cannot
            be read (names its row).
    """
    scaffolds = [_scaffold(row, text) for row, text in enumerate(smiles)]
    return _split(scaffolds, fraction, seed, unit="scaffold")


def _scaffold(row: int, smiles: str) -> str:
    try:
        mol = chem.parse(smiles)
    except chem.InvalidMoleculeError as error:
        raise ConfigError(
            f"row {row} ({smiles!r}): {error}; leave invalid rows out before splitting"
        ) from error
    scaffold = MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False)
    return str(scaffold or Chem.MolToSmiles(mol, isomericSmiles=False))


def _split(keys: Sequence[str], fraction: float, seed: int, *, unit: str) -> tuple[Rows, Rows]:
    if not 0 < fraction < 1:
        raise ConfigError(f"the fraction for validation must lie between 0 and 1, not {fraction}")
    groups: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    if len(groups) < 2:
        raise ConfigError(
            f"{len(keys)} rows with {len(groups)} different {unit}s cannot be split into training "
            "and validation: give more of them"
            + (", or split at random" if unit == "scaffold" else "")
        )
    wanted = min(max(round(fraction * len(keys)), 1), len(keys) - 1)
    valid = np.zeros(len(keys), dtype=np.bool_)
    left = wanted
    drawn = sorted(groups, key=lambda key: _ticket(key, seed))
    for key in drawn:
        if len(groups[key]) <= left:
            valid[groups[key]] = True
            left -= len(groups[key])
    if left == wanted:  # every group is larger than the share of validation
        valid[groups[min(drawn, key=lambda key: len(groups[key]))]] = True
    return np.flatnonzero(~valid), np.flatnonzero(valid)


def _ticket(key: str, seed: int) -> bytes:
    """A random number that is the same on every machine, whatever the version of numpy."""
    text = f"{seed}:{key}".encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
