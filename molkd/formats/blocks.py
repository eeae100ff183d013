"""Files of embeddings read in blocks of rows: of ten million, what is asked for is in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from molkd.formats import embeddings
from molkd.formats.embeddings import StoredEmbeddings
from molkd.formats.encodings import Encoding
from molkd.types import Matrix, Rows

_NUMBERS = "embedding"

Made = TypeVar("Made")


@dataclass(frozen=True)
class EmbeddingBlocks:
    """Parquet files with a column of lists called "embedding", as `molkd embed` writes them.

    Every method raises an `InputError` that names the file where one is damaged.

    Attributes:
        paths: the files, whose rows count as those of one.
    """

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def dim(self) -> int:
        """Width of the embedding; 0 where no row has one."""
        return self._width

    @cached_property
    def _width(self) -> int:
        def width(batch: Any) -> int:
            return embeddings.matrix_of(batch.column(0), self._encoding).shape[1]

        return next(filter(None, self._each(width, [_NUMBERS])), 0)

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """See `StoredEmbeddings.facts`."""
        return embeddings.facts_of_schema(self._schema)

    @cached_property
    def _encoding(self) -> Encoding | None:
        with embeddings.explained(self.paths[0]):
            return Encoding.of_facts(self.facts)

    def values(self) -> Iterator[Matrix]:
        """Yields the embeddings of all rows, some at a time; NaN in rows without one."""
        yield from self._each(lambda batch: self._matrix(batch.column(0)), [_NUMBERS])

    def blocks(self) -> Iterator[StoredEmbeddings]:
        """Yields all rows, some at a time."""
        row0 = 0

        def whole(batch: Any) -> StoredEmbeddings:
            numbers = np.arange(row0, row0 + len(batch))
            values = self._matrix(batch.column(_NUMBERS))
            return self._rows(pa.Table.from_batches([batch]), values, numbers)

        for block in self._each(whole):
            yield block
            row0 += len(block.values)

    def take(self, rows: Rows) -> StoredEmbeddings:
        """Returns some rows without their embeddings, shape (m, 0), in the order given."""
        names = [name for name in self._schema.names if name != _NUMBERS]
        wanted, places = np.unique(rows, return_inverse=True)
        groups = np.searchsorted(self._starts, wanted, side="right") - 1
        parts = [pa.table(self._schema.empty_table()).select(names)]
        for number in np.unique(groups).tolist():
            path, group, _ = self._groups[number]
            own = wanted[groups == number] - self._starts[number]
            with _opened(path) as stored:
                parts.append(stored.read_row_group(group, columns=names).take(pa.array(own)))
        with embeddings.explained(self.paths[0]):
            table = pa.concat_tables(parts).take(pa.array(places))
            return self._rows(table, np.empty((len(rows), 0), dtype=np.float32), rows)

    def _each(
        self, of: Callable[[Any], Made], columns: Sequence[str] | None = None
    ) -> Iterator[Made]:
        """Yields what is made of some rows at a time, of all files in order."""
        for path in self.paths:
            with _opened(path) as stored:
                yield from map(of, stored.iter_batches(8192, columns=columns))

    @cached_property
    def _schema(self) -> Any:
        with _opened(self.paths[0]) as stored:
            return stored.schema_arrow

    @cached_property
    def _groups(self) -> list[tuple[Path, int, int]]:
        """File, number there and rows of every row group."""
        found: list[tuple[Path, int, int]] = []
        for path in self.paths:
            with _opened(path) as stored:
                metadata = stored.metadata
                counts = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
                found += [(path, number, count) for number, count in enumerate(counts)]
        return found

    @cached_property
    def _starts(self) -> Rows:
        return np.cumsum([0, *(rows for _, _, rows in self._groups)]).astype(np.int64)

    def _rows(self, table: Any, values: Matrix, rows: Rows) -> StoredEmbeddings:
        found = embeddings.with_rows(table, values, (_NUMBERS,))
        ids = found.ids if "id" in table.column_names else [str(row) for row in rows.tolist()]
        return replace(found, ids=ids)

    def _matrix(self, column: Any) -> Matrix:
        values = embeddings.matrix_of(column, self._encoding)
        if values.shape[1] not in {0, self.dim}:
            raise ValueError(f"embeddings of different widths, {self.dim} and {values.shape[1]}")
        if values.shape[1] < self.dim:  # no row of these has one
            return np.full((len(values), self.dim), np.nan, dtype=np.float32)
        return values


@contextlib.contextmanager
def _opened(path: Path) -> Generator[Any]:
    with embeddings.explained(path), pq.ParquetFile(path, memory_map=True) as stored:
        yield stored
