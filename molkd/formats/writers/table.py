"""What a file of embeddings is written from, and the protocol of a writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from molkd.types import Mask, Rows

Dtype = Literal["float16", "float32"]

Values = npt.NDArray[np.float16 | np.float32]
"""Shape (n, d): embeddings."""


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """Consecutive rows of a result, embedded.

    Attributes:
        ids: one identifier per row.
        items: one text per row, see `molkd.formats.rows.Chunk.labels`.
        errors: why the row has no embedding; None where it has one.
        values: shape (n, d); NaN in the rows of errors.
        shortened: how many items lost their end before they were embedded.
    """

    ids: Sequence[str]
    items: Sequence[str | None]
    errors: Sequence[str | None]
    values: Values
    shortened: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def valid(self) -> Mask:
        """Shape (n,): where there is an embedding."""
        return np.array([error is None for error in self.errors], dtype=np.bool_)

    def select(self, rows: Rows) -> EmbeddedChunk:
        """Returns some rows, in the order given."""
        places: list[int] = rows.tolist()
        return EmbeddedChunk(
            [self.ids[row] for row in places],
            [self.items[row] for row in places],
            [self.errors[row] for row in places],
            self.values[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The whole of what a writer writes.

    Attributes:
        rows: number of rows.
        dim: width of the embedding.
        column: name of the column of items.
        dtype: type of the values.
        metadata: facts to keep with the values: model, digest, settings, versions.
        chunks: the rows in order; can be iterated several times.
    """

    rows: int
    dim: int
    column: str
    dtype: Dtype
    metadata: Mapping[str, str]
    chunks: Iterable[EmbeddedChunk]


class Writer(Protocol):
    """Writes a result in one format, in constant memory.

    The same result gives the same bytes: nothing depends on time or machine.
    """

    def __call__(self, path: Path, result: Result, /, *, final: Path) -> None:
        """Writes the rows.

        Args:
            path: the file to write; the caller moves it to its place.
            result: the rows and facts about them.
            final: that place, for formats of more than one file: they write the others beside it,
                atomically.

        Raises:
            OSError: the file cannot be written.
        """
        ...
