"""What a file of embeddings is written from, and the protocol of a writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from molkd.formats.encodings import Encoding, Stored
from molkd.types import Mask, Rows


@dataclass(frozen=True, slots=True)
class KeptColumn:
    """What a column holds that is carried from the input to the output.

    Attributes:
        kind: "integer" and "number" fit 64 bits with all their digits.
        gaps: whether values are missing.
        exact: whether floating-point numbers hold the integers.
    """

    kind: Literal["integer", "number", "text"]
    gaps: bool = True
    exact: bool = True


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """Consecutive rows of a result, embedded.

    Attributes:
        ids: one identifier per row; None where it has none.
        items: one text per row, see `molkd.formats.chunks.Chunk.labels`.
        errors: why the row has no embedding; None where it has one.
        values: shape (n, w), see `Encoding`; its blank in the rows of errors.
        shortened: how many items lost their end before they were embedded.
        clipped: how many values were larger than what int8 reaches to.
        kept: column that is carried from the input -> a text per row, None for a missing one.
    """

    ids: Sequence[str | None]
    items: Sequence[str | None]
    errors: Sequence[str | None]
    values: Stored
    shortened: int = 0
    clipped: int = 0
    kept: Mapping[str, Sequence[str | None]] = field(
        default_factory=dict[str, Sequence[str | None]]
    )

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
            kept={name: [values[row] for row in places] for name, values in self.kept.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The whole of what a writer writes.

    Attributes:
        rows: number of rows.
        column: name of the column of items.
        encoding: how the values are stored.
        metadata: facts to keep with the values: model, digest, settings, versions, encoding.
        chunks: the rows in order; can be iterated several times.
        kept: columns that are carried from the input, in order.
    """

    rows: int
    column: str
    encoding: Encoding
    metadata: Mapping[str, str]
    chunks: Iterable[EmbeddedChunk]
    kept: Mapping[str, KeptColumn] = field(default_factory=dict[str, KeptColumn])


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
