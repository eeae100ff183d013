"""A library as search and picking read it: embeddings in blocks, and the rest of some rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from molkd.embedding.layout import MANIFEST
from molkd.embedding.merging import read_manifest
from molkd.errors import InputError
from molkd.formats import embeddings
from molkd.formats.blocks import EmbeddingBlocks
from molkd.formats.embeddings import StoredEmbeddings
from molkd.library import exact
from molkd.library.exact import Neighbours
from molkd.library.given import of
from molkd.library.table import Library, RowsDigest, holds_embeddings, standardization_of
from molkd.types import Matrix, Rows

_BLOCK = 8192


class Blocks(Protocol):
    """Where rows come from: a file, or memory."""

    def __len__(self) -> int: ...

    @property
    def dim(self) -> int:
        """Width of the embedding."""
        ...

    def values(self) -> Iterator[Matrix]:
        """Yields the embeddings of all rows, some at a time; NaN in rows without one."""
        ...

    def blocks(self) -> Iterator[StoredEmbeddings]:
        """Yields all rows whole, some at a time."""
        ...

    def take(self, rows: Rows, /) -> StoredEmbeddings:
        """Returns some rows without their embeddings, in the order given."""
        ...


@dataclass(frozen=True)
class LibraryRows:
    """The rows of a library, in memory or in a file.

    Attributes:
        name: what messages call it.
        model: see `Library`.
        model_digest: likewise.
        standardize: likewise.
        source: where its rows come from.
        stamp: size and time of its file, by which it is known again; () in memory.
    """

    name: str
    model: str
    model_digest: str
    standardize: str
    source: Blocks
    stamp: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.source)

    @property
    def dim(self) -> int:
        """Width of the embedding."""
        return self.source.dim

    def nearest(self, queries: Matrix, k: int, /) -> Neighbours:
        """Finds the nearest rows by comparing all; see `exact.nearest`."""
        return exact.nearest(queries, self.source.values(), k)

    def take(self, rows: Rows, /) -> StoredEmbeddings:
        """Returns some rows without their embeddings, in the order given."""
        return self.source.take(rows)

    @cached_property
    def digest(self) -> str:
        """See `Library.digest`."""
        found = RowsDigest()
        for block in self.source.blocks():
            found.add(block.ids, block.items, block.values)
        return found.hexdigest()


def rows_of(library: Any) -> LibraryRows:
    """Returns the rows of a library, of a file of embeddings, or of what `given.of` takes.

    Of a Parquet file as `molkd embed` writes it, no more is in memory than what is asked for.

    Raises:
        InputError: it cannot be read, holds no embeddings, or none of molecules.
    """
    name, stamp = "the library", tuple[int, ...]()
    if not isinstance(library, Library | str | Path):
        library = of(library)
    if not isinstance(library, Library):
        path = Path(library)
        stamp = stamp_of(path / MANIFEST if path.is_dir() else path)
        if paths := _tables(path):
            blocks = EmbeddingBlocks(paths)
            if not len(blocks):
                raise InputError(f"{path} holds no molecules")
            facts = blocks.facts
            return LibraryRows(
                name=str(path),
                model=facts.get("model", ""),
                model_digest=facts.get("model_digest", ""),
                standardize=standardization_of(facts),
                source=blocks,
                stamp=stamp,
            )
        library, name = of(path), str(path)
    return LibraryRows(
        name=name,
        model=library.model,
        model_digest=library.model_digest,
        standardize=library.standardize,
        source=_Loaded(library),
        stamp=stamp,
    )


def _tables(path: Path) -> tuple[Path, ...]:
    """The Parquet files that hold molecules and their embeddings; none where others do."""
    paths = (path,)
    if path.is_dir() and holds_embeddings(path):
        paths = tuple(read_manifest(path).paths)
    elif path.suffix != ".parquet":
        return ()
    return paths if {"smiles", "embedding"} <= {*embeddings.column_names(paths[0])} else ()


def stamp_of(path: Path) -> tuple[int, ...]:
    """Returns size and time of a file; () where there is none."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns


@dataclass(frozen=True)
class _Loaded:
    """The rows of a library in memory."""

    library: Library

    def __len__(self) -> int:
        return len(self.library)

    @property
    def dim(self) -> int:
        return self.library.values.shape[1]

    def values(self) -> Iterator[Matrix]:
        for start in range(0, len(self), _BLOCK):
            yield self.library.values[start : start + _BLOCK]

    def blocks(self) -> Iterator[StoredEmbeddings]:
        for start in range(0, len(self), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(self)))
            yield self._rows(rows, self.library.values[rows])

    def take(self, rows: Rows, /) -> StoredEmbeddings:
        return self._rows(rows, np.empty((len(rows), 0), dtype=np.float32))

    def _rows(self, rows: Rows, values: Matrix) -> StoredEmbeddings:
        places: list[int] = rows.tolist()
        reasons = self.library.reasons
        return StoredEmbeddings(
            "molecules",
            [self.library.ids[row] for row in places],
            [self.library.smiles[row] for row in places],
            values,
            {place: reasons[row] for place, row in enumerate(places) if row in reasons},
            {name: column.take(rows) for name, column in self.library.columns.items()},
        )
