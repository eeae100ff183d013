"""What the forest reads: circular fingerprint and descriptors. Other models read a student."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

import numpy as np

from molkd import teachers
from molkd.runtime.processes import ordered_map
from molkd.types import Embeddings, digest_of

FINGERPRINTS = ("ecfp4-count", "rdkit2d")

_CHUNK = 512
"""Molecules that a process reads at once."""


class Reads(Protocol):
    """What turns molecules into rows: a student, or `SideBySide`."""

    @property
    def digest(self) -> str:
        """Changes whenever the numbers may change."""
        ...

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Returns one row per molecule."""
        ...


@dataclass(frozen=True)
class SideBySide:
    """Several teachers' rows, end to end; picklable.

    Attributes:
        names: of the teachers.
    """

    names: tuple[str, ...] = FINGERPRINTS

    @cached_property
    def _teachers(self) -> tuple[Any, ...]:
        return tuple(teachers.make(name) for name in self.names)

    @property
    def digest(self) -> str:
        """Of the teachers' cards."""
        return digest_of([teacher.card.digest for teacher in self._teachers])

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Returns one row per molecule; NaN, with the first reason, where a teacher failed."""
        parts = [teacher.embed(items) for teacher in self._teachers]
        values = np.concatenate([part.values for part in parts], axis=1)
        failures: dict[int, str] = {}
        for part in reversed(parts):
            failures |= part.failures
        values[list(failures)] = np.nan
        return Embeddings(values.astype(np.float32), dict(sorted(failures.items())))


def streamed(reads: SideBySide, smiles: Sequence[str], *, jobs: int) -> Iterator[Embeddings]:
    """Yields the rows of many molecules, some hundred at a time, in order."""
    source = iter(smiles)
    chunks = iter(lambda: tuple(islice(source, _CHUNK)), ())
    yield from ordered_map(reads.embed, chunks, jobs=jobs if len(smiles) > 4 * _CHUNK else 1)


def whole(reads: SideBySide, smiles: Sequence[str], *, jobs: int) -> Embeddings:
    """Returns the rows of molecules that fit into memory."""
    from molkd.failures import joined

    parts = list(streamed(reads, smiles, jobs=jobs))
    values = np.concatenate([part.values for part in parts])
    return Embeddings(values, joined([(len(part.values), part.failures) for part in parts]))
