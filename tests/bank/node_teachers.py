"""A teacher of strings that also has a state per letter; importable by worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from molkd.types import Matrix, NodeEmbeddings
from tests.fakes.fake_teachers import FakeTeacher


@dataclass
class LetterTeacher(FakeTeacher):
    """Its nodes are the letters of a string; what begins with certain words has none.

    "fail" as of `FakeTeacher`. "atomless": reported as failed. "odd": NaN. "burst": raises.
    "halt": interrupts. "huge": too large for fp16. Words of `FakeTeacher` are never seen.
    """

    width: int = 3
    halts: bool = True
    calls: int = 0

    @property
    def node_dim(self) -> int:
        return self.width

    def letters(self, item: str) -> Matrix:
        codes = np.array([ord(letter) for letter in item], dtype=np.float64)
        powers = np.stack([np.sin(codes * (k + 1)) for k in range(self.width)], axis=1)
        return (powers * (1e6 if item.startswith("huge") else 1)).astype(np.float32)

    def embed_nodes(self, items: Sequence[str], /) -> NodeEmbeddings:
        self.calls += len(items)
        parts: list[Matrix] = []
        failures: dict[int, str] = {}
        for row, item in enumerate(items):
            assert not item.startswith("fail"), "it failed already"
            part = self.letters(item)
            if item.startswith("burst"):
                raise RuntimeError(f"{item} is no word")
            if item.startswith("halt") and self.halts:
                raise KeyboardInterrupt
            if item.startswith("odd"):
                part[-1, 0] = np.nan
            if item.startswith("atomless"):
                failures[row] = f"{item} has no letters"
                part = part[:0]
            parts.append(part)
        starts = np.cumsum([0, *map(len, parts)]).astype(np.int64)
        values = np.concatenate([np.empty((0, self.width), np.float32), *parts])
        return NodeEmbeddings(values, starts, failures)
