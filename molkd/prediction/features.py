"""What models of fingerprints and descriptors read. The embedding's read a student."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from molkd import teachers
from molkd.items import check
from molkd.prediction.learners import ModelOf
from molkd.runtime.processes import ordered_map
from molkd.types import Embeddings, digest_of

READS: Mapping[ModelOf, tuple[str, ...]] = {
    "forest": ("ecfp4-count", "rdkit2d"),
    "tanimoto": ("ecfp4-count",),
}
"""Model -> teachers whose rows it reads, end to end; counts come first."""

COUNTED = 2048
"""Columns of counts."""

_CHUNK = 512
"""Molecules that a process reads at once."""


@dataclass(frozen=True)
class SideBySide:
    """Several teachers' rows, end to end; picklable.

    Attributes:
        names: of the teachers.
        standardize: what is done to the molecules first: none, light or full.
    """

    names: tuple[str, ...]
    standardize: str = "none"

    @cached_property
    def _teachers(self) -> tuple[Any, ...]:
        return tuple(teachers.make(name) for name in self.names)

    def __str__(self) -> str:
        return " and ".join(self.names)

    @property
    def digest(self) -> str:
        """Of the teachers' cards, and of what is done first."""
        first = [self.standardize] if self.standardize != "none" else []
        return digest_of([teacher.card.digest for teacher in self._teachers] + first)

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Returns one row per molecule; NaN, with the first reason, where a teacher failed."""
        first: dict[int, str] = {}
        if self.standardize != "none":
            checked = check(items, modality="molecules", level=self.standardize)
            first = checked.failures
            items = [None if row in first else text for row, text in enumerate(checked.items)]
        parts = [teacher.embed(items) for teacher in self._teachers]
        values = np.concatenate([part.values for part in parts], axis=1)
        failures: dict[int, str] = {}
        for found in (*(part.failures for part in reversed(parts)), first):
            failures |= found
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
