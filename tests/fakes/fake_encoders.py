"""An encoder of SMILES for the tests of the embedding job; importable by worker processes."""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from molkd.items.molecules import chem
from molkd.types import Embeddings, Matrix


@dataclass(frozen=True)
class FakePrepared:
    """Texts of the items, and what is wrong with them."""

    texts: list[str]
    failures: dict[int, str]
    modules: set[str]


def featurize(items: Sequence[object]) -> FakePrepared:
    failures = dict(chem.parse_all(items).failures)
    return FakePrepared([str(item) for item in items], failures, set(sys.modules))


def prepare_unread(items: Sequence[object]) -> FakePrepared:
    return FakePrepared([str(item) for item in items], {}, set())


def prepare_and_die(_: Sequence[object]) -> None:
    os._exit(9)


PREPARE = {"parsed": featurize, "unread": prepare_unread, "dies": prepare_and_die}


@dataclass
class FakeEncoder:
    """Embeds a text by its checksum.

    The text `stop` interrupts, "[NaH]" gives NaN without a reason; `read` is a key of PREPARE,
    `limit` the longest text that counts as whole, `reach` what int8 reaches to. What it was `asked`
    and the `modules` of where items were featurized are known where it embeds: in workers, unless
    there is one job or it is on a GPU.
    """

    modality: str = "molecules"
    dim: int = 4
    digest: str = "fake"
    scale: float = 1.0
    seconds: float = 0.0
    read: str = "parsed"
    stop: str | None = None
    width: int | None = None
    limit: int = 1000
    reach: float | None = None
    device: str = "cpu"
    asked: list[str] = field(default_factory=list[str])
    modules: set[str] = field(default_factory=set[str])

    @property
    def embedding_dim(self) -> int:
        return self.dim

    @property
    def featurize(self) -> object:
        return PREPARE[self.read]

    def encode(self, prepared: FakePrepared, *, batch_size: int) -> Embeddings:
        time.sleep(self.seconds)
        if self.stop in prepared.texts:
            raise KeyboardInterrupt
        self.asked += prepared.texts
        self.modules |= prepared.modules
        values = np.array([self._row(text) for text in prepared.texts], dtype=np.float32)
        values[list(prepared.failures)] = np.nan
        return Embeddings(values[:, : self.width], prepared.failures)

    def shortened(self, prepared: FakePrepared) -> int:
        return sum(len(text) > self.limit for text in prepared.texts)

    def _row(self, text: str) -> Matrix:
        if text == "[NaH]":
            return np.full(self.dim, np.nan, dtype=np.float32)
        seed = zlib.crc32(text.encode())
        row = np.arange(1, self.dim + 1, dtype=np.float64) * (seed % 10_007)
        return (self.scale * np.sin(row)).astype(np.float32)
