"""Rows for training and rows for validation: disjoint, seeded, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from molkd.errors import ConfigError
from molkd.types import Rows

if TYPE_CHECKING:  # RDKit is loaded where molecules are split: embedding needs none of it
    from rdkit import Chem

CLUSTER_DISTANCE = 0.6
"""Tanimoto distance up to which a molecule belongs to a cluster; DeepChem's default too."""

MOST_CLUSTERED = 20_000
"""Different molecules above which clustering is refused: memory and time grow with the square."""

_FAR_ENOUGH = 0.5  # between False and True: a matrix of truth values stands for distances


def random_split(keys: Sequence[str], *, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Splits rows at random; equal keys always fall on the same side.

    Which keys are drawn depends on the seed and on the keys, not on the order of the rows.

    Args:
        keys: one per row; canonical SMILES keep duplicate structures together.
        fraction: share of the rows for validation, between 0 and 1.
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
    scaffolds = [scaffold(mol) for mol in _parsed(smiles)]
    return _split(scaffolds, fraction, seed, unit="scaffold")


def cluster_split(
    smiles: Sequence[str], *, fraction: float, seed: int, distance: float = CLUSTER_DISTANCE
) -> tuple[Rows, Rows]:
    """Splits molecules so that no cluster of similar molecules is on both sides.

    Clusters are drawn at random; see `clusters` for what they are and what they cost.

    Args:
        smiles: one per row, all of them valid.
        fraction: see `random_split`.
        seed: see `random_split`.
        distance: see `clusters`.

    Returns:
        See `random_split`.

    Raises:
        ConfigError: a fraction or distance is out of range, all rows are in one cluster, there are
            more than `MOST_CLUSTERED` different molecules, or a SMILES cannot be read.
    """
    return _split(clusters(smiles, distance=distance), fraction, seed, unit="cluster")


def time_split(
    keys: Sequence[str], times: npt.NDArray[np.floating], *, fraction: float, seed: int
) -> tuple[Rows, Rows]:
    """Splits rows by time: the oldest for training, the newest for validation.

    Rows of equal keys stay together and take the earliest of their times: that of a molecule's
    first measurement. The seed decides only the order of keys of the same time.

    Args:
        keys: one per row; canonical SMILES keep duplicate structures together.
        times: shape (n,), in any unit, greater is newer.
        fraction: see `random_split`; the share is missed where a key has many rows.
        seed: see above.

    Returns:
        See `random_split`.

    Raises:
        ConfigError: a time is not finite (names its row), or see `random_split`.
    """
    untimed = np.flatnonzero(~np.isfinite(times))
    if len(untimed):
        raise ConfigError(f"row {untimed[0]} has no time: leave it out, or split in another way")
    groups = _groups(keys, fraction, unit="item")
    first = {key: min(times[rows]) for key, rows in groups.items()}
    newest = sorted(groups, key=lambda key: (-first[key], _ticket(key, seed)))
    target = _valid_count(keys, fraction)
    valid = np.zeros(len(keys), dtype=np.bool_)
    for place, key in enumerate(newest[:-1]):  # the oldest key is always for training
        if place and valid.sum() + len(groups[key]) > target:
            break
        valid[groups[key]] = True
    return np.flatnonzero(~valid), np.flatnonzero(valid)


def scaffold(mol: Chem.Mol) -> str:
    """Returns the SMILES of a molecule's scaffold; see `scaffold_split`."""
    from rdkit import Chem
    from rdkit.Chem.Scaffolds import MurckoScaffold

    rings = MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False)
    return str(rings or Chem.MolToSmiles(mol, isomericSmiles=False))


def clusters(smiles: Sequence[str], *, distance: float = CLUSTER_DISTANCE) -> list[str]:
    """Clusters molecules by Tanimoto distance of ECFP4 (2,048 bits, no stereochemistry).

    Butina's algorithm (1999, https://doi.org/10.1021/ci9803381), as in RDKit: the molecule with
    most neighbours within `distance` becomes the centre of a cluster of all of these, and so on
    with those left. Members are near their centre; members of two clusters may still be near each
    other. Time and memory grow with the square of the number n of different molecules: n² bytes,
    400 MB and about a minute for 20,000.

    Args:
        smiles: one per row, all of them valid.
        distance: between 0 (one cluster per fingerprint) and 1.

    Returns:
        Canonical SMILES of the centre of each row's cluster; they do not depend on the order of
        the rows.

    Raises:
        ConfigError: the distance is out of range, there are more than `MOST_CLUSTERED` different
            molecules, or a SMILES cannot be read (names its row).
    """
    from rdkit.ML.Cluster import Butina

    from molkd.items.molecules import chem

    if not 0 <= distance < 1:
        raise ConfigError(f"the distance of a cluster must lie in [0, 1), not {distance}")
    texts = [chem.canonical_smiles(mol) for mol in _parsed(smiles)]
    unique = sorted(set(texts))
    if len(unique) > MOST_CLUSTERED:
        raise ConfigError(
            f"{len(unique)} different molecules are too many to be clustered (at most "
            f"{MOST_CLUSTERED}): split by scaffold, or cluster a sample of them"
        )
    far = _far(unique, distance)
    centres = dict.fromkeys(unique, "")
    for cluster in Butina.ClusterData(far, len(unique), _FAR_ENOUGH, isDistData=True):
        centres |= dict.fromkeys((unique[place] for place in cluster), unique[cluster[0]])
    return [centres[text] for text in texts]


def _far(smiles: Sequence[str], distance: float) -> npt.NDArray[np.bool_]:
    """Shape (n, n): whether two molecules are more than `distance` apart."""
    from rdkit import DataStructs
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    bits = [generator.GetFingerprint(mol) for mol in _parsed(smiles)]
    far = np.zeros((len(bits), len(bits)), dtype=np.bool_)
    for row in range(1, len(bits)):
        similar = np.asarray(DataStructs.BulkTanimotoSimilarity(bits[row], bits[:row]))
        far[row, :row] = far[:row, row] = 1 - similar > distance
    return far


def _parsed(smiles: Sequence[str]) -> Iterator[Chem.Mol]:
    from molkd.items.molecules import chem

    for row, text in enumerate(smiles):
        try:
            yield chem.parse(text)
        except chem.InvalidMoleculeError as error:
            raise ConfigError(
                f"row {row} ({text!r}): {error}; leave invalid rows out before splitting"
            ) from error


def _groups(keys: Sequence[str], fraction: float, *, unit: str) -> dict[str, list[int]]:
    """Key -> its rows, at least two keys."""
    if not 0 < fraction < 1:
        raise ConfigError(f"the fraction for validation must lie between 0 and 1, not {fraction}")
    groups: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    if len(groups) < 2:
        raise ConfigError(
            f"{len(keys)} rows with {len(groups)} different {unit}s cannot be split into training "
            "and validation: give more of them" + (", or split at random" if unit != "item" else "")
        )
    return groups


def _valid_count(keys: Sequence[str], fraction: float) -> int:
    return min(max(round(fraction * len(keys)), 1), len(keys) - 1)


def _split(keys: Sequence[str], fraction: float, seed: int, *, unit: str) -> tuple[Rows, Rows]:
    groups = _groups(keys, fraction, unit=unit)
    target = _valid_count(keys, fraction)
    valid = np.zeros(len(keys), dtype=np.bool_)
    left = target
    drawn = sorted(groups, key=lambda key: _ticket(key, seed))
    for key in drawn:
        if len(groups[key]) <= left:
            valid[groups[key]] = True
            left -= len(groups[key])
    if left == target:  # every group is larger than the share of validation
        valid[groups[min(drawn, key=lambda key: len(groups[key]))]] = True
    return np.flatnonzero(~valid), np.flatnonzero(valid)


def _ticket(key: str, seed: int) -> bytes:
    """A pseudorandom number that depends on neither machine nor version of numpy."""
    text = f"{seed}:{key}".encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
