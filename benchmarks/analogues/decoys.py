"""Decoys: unlabelled molecules among which analogues are looked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rdkit import rdBase

from molkd.benchmarks.quality import leakage
from molkd.benchmarks.tasks import molecule_keys
from molkd.errors import ConfigError, CorruptFileError, InputError
from molkd.runtime import files
from molkd.runtime.progress import Progress
from molkd.types import digest_of


@dataclass(frozen=True, slots=True)
class Decoys:
    """Molecules that are no analogues.

    Attributes:
        smiles: in the order in which they were drawn: fewer from the same files begin alike.
        unreadable: how many were drawn besides and could not be read.
        known: likewise, and had a skeleton of the tables, a scaffold of the series, or the
            skeleton of an earlier decoy.
    """

    smiles: tuple[str, ...]
    unreadable: int
    known: int

    @property
    def left_out(self) -> str:
        """Says what was drawn besides."""
        return (
            f"{len(self.smiles):,} decoys were drawn; {self.unreadable:,} molecules drawn besides "
            f"could not be read, {self.known:,} are among the tables, have the scaffold of a "
            "series, or were drawn before"
        )


@dataclass(frozen=True, slots=True)
class Excluded:
    """What is no decoy.

    Attributes:
        skeletons: of molecules that may be active; see `leakage.skeletons`.
        scaffolds: of series: what has one is an analogue, whoever measured it.
    """

    skeletons: Collection[str]
    scaffolds: Collection[str]


def draw(
    smiles: Sequence[str],
    excluded: Excluded,
    *,
    count: int,
    seed: int,
    jobs: int = 1,
    progress: bool = False,
) -> Decoys:
    """Draws molecules at random, each skeleton once.

    Args:
        smiles: what to draw from.
        excluded: what is left out.
        count: how many to draw.
        seed: of the order.
        jobs: worker processes.
        progress: whether to show progress.

    Raises:
        ConfigError: there are too few, or the number is not positive.
    """
    if count < 1:
        raise ConfigError(f"--decoys must be at least 1, not {count}")
    order: list[int] = np.random.default_rng(seed).permutation(len(smiles)).tolist()
    seen = set(excluded.skeletons)
    kept: list[str] = []
    unreadable = known = 0
    drawn = iter(order)
    with Progress("decoys", count, unit="molecules", shown=progress) as bar:
        for blocks in leakage.stream((smiles[row] for row in order), jobs=jobs):
            for block in blocks:
                text = smiles[next(drawn)]
                if not block:
                    unreadable += 1
                elif block in seen or molecule_keys.scaffold(text) in excluded.scaffolds:
                    known += 1
                else:
                    seen.add(block)
                    kept.append(text)
                if len(kept) == count:
                    bar.reach(count)
                    return Decoys(tuple(kept), unreadable, known)
            bar.reach(len(kept))
    raise ConfigError(
        f"--decoys {count}: only {len(kept)} of {len(smiles)} molecules may be decoys "
        f"({unreadable} unreadable, {known} known); give another file or a smaller number"
    )


def read(paths: Sequence[Path]) -> list[str]:
    """Returns all different SMILES of files.

    Args:
        paths: see `leakage.molecules`.

    Raises:
        InputError: a file cannot be read.
    """
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InputError(f"there is no file {missing[0]}: name files of unlabelled molecules")
    return list(dict.fromkeys(text for path in paths for text in leakage.molecules(path)))


def drawn_once(
    smiles: Sequence[str],
    excluded: Excluded,
    *,
    count: int,
    seed: int,
    cache: Path,
    jobs: int = 1,
    progress: bool = False,
) -> Decoys:
    """Returns what `draw` returns, from a file where the same was drawn before.

    Args:
        smiles: see `draw`, like all other arguments.
        excluded: see `draw`.
        count: see `draw`.
        seed: see `draw`.
        cache: folder of what was computed before.
        jobs: see `draw`.
        progress: see `draw`.

    Raises:
        ConfigError: there are too few.
        OutputError: the cache cannot be written.
    """
    without = [sorted(excluded.skeletons), sorted(excluded.scaffolds)]
    digest = digest_of([list(smiles), without, count, seed, rdBase.rdkitVersion])
    computed = cache / "decoys" / f"{digest}.json"
    try:
        stored = files.read_json(computed)
        return Decoys(tuple(stored["smiles"]), stored["unreadable"], stored["known"])
    except (CorruptFileError, KeyError):
        drawn = draw(smiles, excluded, count=count, seed=seed, jobs=jobs, progress=progress)
    stored = {"smiles": drawn.smiles, "unreadable": drawn.unreadable, "known": drawn.known}
    files.write_json(computed, stored)
    return drawn
