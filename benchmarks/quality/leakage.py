"""Which molecules of the tasks a distillation has seen: compared by skeleton, in bounded memory.

A skeleton is the first block of an InChIKey: formula, connections and hydrogens of a molecule
without stereochemistry, isotopes and charges; most tautomers share theirs. Salts do not share that
of their parent. What RDKit or InChI cannot read has none, and never counts as seen.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rdkit import Chem, rdBase

from molkd.benchmarks.tasks.task import Task
from molkd.errors import CorruptFileError, InputError
from molkd.formats import readers
from molkd.formats.columns import NO_IDS, Columns
from molkd.items.molecules import chem
from molkd.items.molecules.modality import SMILES
from molkd.runtime import files
from molkd.runtime.arrays import read_array
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress
from molkd.types import Mask, digest_of

Seen = npt.NDArray[np.uint64]
"""Shape (s,), ascending: hashes of different skeletons; 8 bytes each."""

OTHER_NAMES = {"mol", "molecule", "structure", "x"}
"""Columns, in lower case, that hold SMILES in tables of benchmarks; those of `formats` go first."""

_CHUNK = 2000


def molecules(path: Path) -> Iterator[str]:
    """Yields the SMILES of a file of any format that molkd reads; rows without one are skipped.

    Raises:
        ConfigError: the format is unknown.
        InputError: the file cannot be read, or no column has a usual name.
    """
    for records in readers.read(path, _columns(path)):
        yield from (text for text in records.readable if text)


def skeletons(smiles: Sequence[str | None], *, jobs: int = 1) -> list[str]:
    """Returns the first block of each InChIKey, 14 letters; empty where there is none.

    Args:
        smiles: the molecules.
        jobs: worker processes.
    """
    return list(itertools.chain.from_iterable(stream(smiles, jobs=jobs)))


def stream(smiles: Iterable[str | None], *, jobs: int = 1) -> Iterator[list[str]]:
    """Yields what `skeletons` returns, some thousand at a time; reads little ahead.

    Args:
        smiles: the molecules, taken as they are needed.
        jobs: worker processes.
    """
    return ordered_map(_of_chunk, _chunks(smiles), jobs=jobs)


def known(smiles: Iterable[str | None], *, jobs: int = 1, progress: bool = False) -> Seen:
    """Returns what a distillation on these molecules has seen; two thousand of them at a time.

    Skeletons are kept as 64-bit hashes: of ten million, one of 100,000 other molecules is taken
    for one of them with a chance of 5e-8.

    Args:
        smiles: the corpus, read once; see `molecules`.
        jobs: worker processes.
        progress: whether to show progress.
    """
    parts = [np.empty(0, dtype=np.uint64)]
    with Progress("corpus", unit="molecules", shown=progress) as bar:
        for chunk in stream(smiles, jobs=jobs):
            parts.append(_hashes(filter(None, chunk)))
            bar.update(len(chunk))
    return np.unique(np.concatenate(parts))


def known_of_file(path: Path, *, cache: Path, jobs: int = 1, progress: bool = False) -> Seen:
    """Returns `known` of a corpus file, computed once per content of the file.

    Args:
        path: see `molecules`.
        cache: folder of what was computed before.
        jobs: worker processes.
        progress: whether to show progress.

    Raises:
        InputError: the file cannot be read.
        OutputError: the cache cannot be written.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}: name the molecules of the distillation")
    digest = digest_of([files.sha256_of(path), path.name, rdBase.rdkitVersion])
    computed = cache / "skeletons" / f"{digest}.npy"
    try:
        return read_array(computed)
    except CorruptFileError:
        seen = known(molecules(path), jobs=jobs, progress=progress)
    with files.atomic_path(computed) as temporary, temporary.open("wb") as stream:
        np.save(stream, seen)
    return seen


def leaked(seen: Seen, task: Task, *, jobs: int = 1) -> Mask:
    """Returns which items of a task a distillation has seen; shape (n,).

    Args:
        seen: see `known`.
        task: its skeletons are computed once and remembered.
        jobs: worker processes.

    Raises:
        InputError: the task holds something else than molecules.
    """
    if task.modality != "molecules":
        raise InputError(
            f"leakage is counted for molecules, and {task.name} holds {task.modality}: "
            "leave out the corpus"
        )
    blocks = _of_task(tuple(map(str, task.items)), jobs)
    if not len(seen):
        return np.zeros(len(blocks), dtype=np.bool_)
    hashes = _hashes(blocks)
    places = np.searchsorted(seen, hashes).clip(max=len(seen) - 1)
    return seen[places] == hashes  # the hash of no skeleton is never among those seen


def count(seen: Seen, tasks: Sequence[Task], *, jobs: int = 1) -> dict[str, dict[str, int]]:
    """Counts the items of each task that a distillation has seen.

    Args:
        seen: see `known`.
        tasks: what is counted.
        jobs: worker processes.

    Returns:
        Task -> "test" and "train", the rows of its official split, and "items", all rows; "items"
        alone where there is no official split, for each row may then be tested with some seed.

    Raises:
        InputError: a task holds something else than molecules.
    """
    return {task.name: _counted(leaked(seen, task, jobs=jobs), task.test) for task in tasks}


def of_file(
    path: Path, tasks: Sequence[Task], *, cache: Path, jobs: int = 1, progress: bool = False
) -> tuple[dict[str, dict[str, int]], dict[str, Mask]]:
    """Returns what `count` says of a corpus file, and task -> what `leaked` says of it.

    Arguments and errors are those of `known_of_file`, `count` and `leaked`.
    """
    seen = known_of_file(path, cache=cache, jobs=jobs, progress=progress)
    masks = {task.name: leaked(seen, task, jobs=jobs) for task in tasks}
    return count(seen, tasks, jobs=jobs), masks


def _counted(mask: Mask, test: Mask | None) -> dict[str, int]:
    parts: Mapping[str, Mask] = {} if test is None else {"test": mask & test, "train": mask & ~test}
    return {name: int(rows.sum()) for name, rows in {**parts, "items": mask}.items()}


@functools.lru_cache(maxsize=256)
def _of_task(items: tuple[str, ...], jobs: int) -> list[str]:
    return skeletons(items, jobs=jobs if len(items) > _CHUNK else 1)


def _hashes(blocks: Iterable[str]) -> Seen:
    digests = [hashlib.blake2b(block.encode(), digest_size=8).digest() for block in blocks]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _chunks(smiles: Iterable[str | None]) -> Iterator[list[str | None]]:
    rest = iter(smiles)
    while chunk := list(itertools.islice(rest, _CHUNK)):
        yield chunk


def _columns(path: Path) -> Columns:
    """The column with a name of `OTHER_NAMES`, where there is none with a name of `formats`."""
    separator = {"csv": ",", "tsv": "\t"}.get(readers.kind_of(path))
    if separator is None:
        return Columns(id=NO_IDS)
    import pandas as pd

    try:
        names = [str(name) for name in pd.read_csv(path, sep=separator, nrows=0)]
    except (ValueError, OSError):
        return Columns(id=NO_IDS)  # the reader says what is wrong
    usual = [name for name in names if name.lower() in SMILES.usual]
    other = [name for name in names if name.lower() in OTHER_NAMES]
    return Columns(other[0] if len(other) == 1 and not usual else None, NO_IDS)


def _of_chunk(smiles: Sequence[str | None]) -> list[str]:
    with rdBase.BlockLogs():
        return [_skeleton(text) for text in smiles]


def _skeleton(smiles: str | None) -> str:
    try:
        return Chem.MolToInchiKey(chem.parse(smiles))[:14]
    except chem.InvalidMoleculeError:
        return ""
