"""Teachers of strings for the tests of the bank; importable by worker processes."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from molkd.errors import WeightsError
from molkd.types import Embeddings, Matrix, Support, TeacherCard


@dataclass
class FakeTeacher:
    """Embeds a string by its checksum; strings that begin with certain words are special.

    "fail": reported as failed. "raise": raises. "nan": returns NaN without a reason.
    "stop": interrupts. "weights": its weights are missing. "die": ends the process.
    """

    name: str = "fake"
    dim: int = 5
    support: Support = "real"
    scale: float = 1.0
    seconds: float = 0.0
    obeys: bool = True
    asked: list[str] = field(default_factory=list[str])

    @property
    def card(self) -> TeacherCard:
        return TeacherCard(
            name=self.name,
            kind="fake",
            dim=self.dim,
            support=self.support,
            source="tests",
            license="none",
            limits="none",
            options={"scale": self.scale},
        )

    def row(self, item: str) -> Matrix:
        random = np.random.default_rng(zlib.crc32(item.encode()))
        values = random.normal(size=self.dim) * self.scale
        if self.support == "bits":
            values = values > 0
        if self.support == "counts":
            values = random.poisson(3 * self.scale, size=self.dim)
        return values.astype(np.float32)

    def embed(self, items: Sequence[str], /) -> Embeddings:
        time.sleep(self.seconds)
        self.asked.extend(items)
        values = np.stack([self.row(item) for item in items])
        failures: dict[int, str] = {}
        for row, item in enumerate(items if self.obeys else ()):
            if item.startswith("raise"):
                raise RuntimeError(f"no such thing as {item}")
            if item.startswith("stop"):
                raise KeyboardInterrupt
            if item.startswith("weights"):
                raise WeightsError("the weights are gone")
            if item.startswith("die"):
                os._exit(3)
            if item.startswith("fail"):
                failures[row] = f"{item} is too hard"
            if item.startswith("nan"):
                values[row, 0] = np.nan
        return Embeddings(values, failures)


def half_prepared(items: Sequence[str]) -> list[str]:
    """Marks items as prepared; raises for those that begin with "bad"."""
    for item in items:
        if item.startswith("bad"):
            raise ValueError(f"{item} cannot be prepared")
    return [f"prepared {item}" for item in items]


@dataclass
class TableTeacher(FakeTeacher):
    """Answers an item, which is a number, with that row of a table."""

    table: Matrix = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))

    def embed(self, items: Sequence[str], /) -> Embeddings:
        return Embeddings(self.table[[int(item) for item in items]], {})
