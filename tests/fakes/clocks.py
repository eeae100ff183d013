"""Embedders that spend the time of a fake clock: speed without waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from molkd.types import Embeddings

RDKIT = 0.001
PARSE_ALL = 0.002


@dataclass
class FakeClock:
    """Stands still unless time is spent."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class TimedTeacher:
    """Costs what `cost` says for a number of molecules; fails on "fail"."""

    clock: FakeClock
    cost: Callable[[int], float] = lambda count: 0.010 * count
    asked: list[int] = field(default_factory=list[int])

    def embed(self, items: Sequence[str], /) -> Embeddings:
        self.asked.append(len(items))
        self.clock.spend(self.cost(len(items)))
        failures = {row: "too hard" for row, item in enumerate(items) if item == "fail"}
        values = np.ones((len(items), 3), dtype=np.float32)
        values[list(failures)] = np.nan
        return Embeddings(values, failures)


@dataclass
class TimedStudent:
    """Featurises for 3 ms, collates for 1 ms and embeds for 4 ms per molecule, in batches of 8."""

    clock: FakeClock
    calls: list[str] = field(default_factory=list[str])

    def featurize(self, items: Sequence[Any]) -> list[Any]:
        if items and isinstance(items[0], str):
            self.clock.spend(PARSE_ALL * len(items))
        self.calls.append("featurize")
        self.clock.spend(0.003 * len(items))
        return list(items)

    def collate(self, prepared: list[Any]) -> list[Any]:
        self.calls.append("collate")
        self.clock.spend(0.001 * len(prepared))
        return prepared

    def encode(self, prepared: list[Any]) -> Embeddings:
        for start in range(0, len(prepared), 8):
            batch = self.collate(prepared[start : start + 8])
            self.clock.spend(0.004 * len(batch))
        return Embeddings(np.ones((len(prepared), 3), dtype=np.float32), {})

    def embed(self, items: Sequence[str], /) -> Embeddings:
        return self.encode(self.featurize(items))
