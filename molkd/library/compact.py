"""What compact embeddings cost: the neighbours that each way to store them keeps, and its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from molkd.errors import ConfigError
from molkd.formats.encodings import Dtype, Encoding
from molkd.library import exact
from molkd.types import Matrix, Rows

AMONG = (10, 100)
"""Numbers of neighbours that a recall is about."""

_BLOCK = 8192


@dataclass(frozen=True, slots=True)
class Recall:
    """A mean over queries.

    Attributes:
        mean: share of the neighbours that are found again.
        half: half the width of its 95 % interval.
    """

    mean: float
    half: float

    def __str__(self) -> str:
        low, high = max(self.mean - self.half, 0), min(self.mean + self.half, 1)
        return f"{self.mean:.3f} ({low:.3f} to {high:.3f})"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one way to store embeddings keeps.

    Attributes:
        encoding: the way.
        queries: what is compared with what is stored: "float32", or "the same" as is stored.
        size: bytes of an embedding.
        recalls: how many neighbours -> share of the nearest that are still among them.
    """

    encoding: Encoding
    queries: str
    size: int
    recalls: dict[int, Recall]


def compare(
    values: Matrix,
    reach: float | None,
    *,
    dimensions: Sequence[int] = (),
    queries: int = 1000,
    seed: int = 0,
) -> Iterator[Kept]:
    """Looks for the neighbours of some rows among all, as they are and stored compactly.

    Cosines decide what is near. A row is not its own neighbour.

    Args:
        values: shape (n, d), in 32 bits; rows with NaN are left out.
        reach: see `Encoding.of`; without it int8 is left out.
        dimensions: lengths to which the embedding is cut, beside its own.
        queries: rows to ask for, at most.
        seed: of their draw.

    Yields:
        For each length, the ways to store it; first all dimensions.

    Raises:
        ConfigError: a length is not shorter than the embedding, or there are too few rows.
    """
    values = values[np.isfinite(values).all(axis=1)]
    whole = values.shape[1]
    for length in dimensions:
        if not 0 < length < whole:
            raise ConfigError(f"an embedding of {whole} dimensions cannot be cut to {length}")
    if len(values) < 2 or queries < 1:
        raise ConfigError(f"expected two embeddings and a query, got {len(values)} and {queries}")
    keys = np.sort(np.random.default_rng(seed).permutation(len(values))[:queries])
    true = _nearest(values[keys], values, lambda block: block)
    for length in (whole, *dimensions):
        short = values[:, :length]
        for dtype in get_args(Dtype):
            if (dtype, length) == ("float32", whole) or (dtype == "int8" and reach is None):
                continue
            yield from _kept(Encoding.of(dtype, length, reach), short, keys, true)


def _kept(encoding: Encoding, values: Matrix, keys: Rows, true: Rows) -> Iterator[Kept]:
    def decoded(block: Matrix) -> Matrix:
        return encoding.decode(encoding.encode(block)[0])

    def stored(block: Matrix) -> Matrix:
        """As a program compares it that knows no scale."""
        numbers = encoding.encode(block)[0]
        return decoded(block) if encoding.dtype == "binary" else numbers.astype(np.float32)

    ways: list[tuple[str, Matrix, Callable[[Matrix], Matrix]]]
    ways = [("float32", values[keys], decoded)]
    if encoding.facts:
        ways.append(("the same", stored(values[keys]), stored))
    for name, queries, made in ways:
        found = _nearest(queries, values, made)
        recalls: dict[int, Recall] = {}
        for among in AMONG:
            shares = exact.recalls(keys, true, found, among)
            recalls[among] = Recall(
                float(shares.mean()), 1.96 * float(shares.std()) / len(shares) ** 0.5
            )
        yield Kept(encoding, name, encoding.width * encoding.stored.itemsize, recalls)


def _nearest(queries: Matrix, values: Matrix, made: Callable[[Matrix], Matrix]) -> Rows:
    """Shape (q, k): rows that are nearest when `made` of all rows is compared with queries."""
    blocks = (made(values[start : start + _BLOCK]) for start in range(0, len(values), _BLOCK))
    return exact.nearest(exact.unit(queries), blocks, max(AMONG) + 1).rows
