"""Files of embeddings read in blocks of rows: of ten million, what is asked for is in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from molkd.errors import InputError
from molkd.formats import embeddings
from molkd.formats.embeddings import StoredEmbeddings
from molkd.formats.encodings import Encoding
from molkd.types import Matrix, Rows

_NUMBERS = "embedding"


@dataclass(frozen=True)
class EmbeddingBlocks:
    """A Parquet file with a column of lists called "embedding", as `molkd embed` writes it.

    Attributes:
        path: the file; every method raises an `InputError` that names it where it is damaged.
    """

    path: Path

    def __len__(self) -> int:
        return self._file.metadata.num_rows

    @property
    def dim(self) -> int:
        """Width of the embedding; 0 where no row has one."""
        return self._width

    @cached_property
    def _width(self) -> int:
        with self._explained():
            for batch in self._file.iter_batches(8192, columns=[_NUMBERS]):
                if width := embeddings.matrix_of(batch.column(0), self._encoding).shape[1]:
                    return width
        return 0

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """See `StoredEmbeddings.facts`."""
        return embeddings.facts_of_schema(self._file.schema_arrow)

    @cached_property
    def _encoding(self) -> Encoding | None:
        with self._explained():
            return Encoding.of_facts(self.facts)

    def values(self) -> Iterator[Matrix]:
        """Yields the embeddings of all rows, some at a time; NaN in rows without one."""
        with self._explained():
            for batch in self._file.iter_batches(8192, columns=[_NUMBERS]):
                yield self._matrix(batch.column(0))

    def blocks(self) -> Iterator[StoredEmbeddings]:
        """Yields all rows, some at a time."""
        row0 = 0
        with self._explained():
            for batch in self._file.iter_batches(8192):
                numbers = np.arange(row0, row0 + len(batch))
                values = self._matrix(batch.column(_NUMBERS))
                yield self._rows(pa.Table.from_batches([batch]), values, numbers)
                row0 += len(batch)

    def take(self, rows: Rows) -> StoredEmbeddings:
        """Returns some rows without their embeddings, shape (m, 0), in the order given."""
        names = [name for name in self._file.schema_arrow.names if name != _NUMBERS]
        wanted, places = np.unique(rows, return_inverse=True)
        groups = np.searchsorted(self._starts, wanted, side="right") - 1
        with self._explained():
            parts = [pa.table(self._file.schema_arrow.empty_table()).select(names)]
            for group in np.unique(groups).tolist():
                own = wanted[groups == group] - self._starts[group]
                parts.append(self._file.read_row_group(group, columns=names).take(pa.array(own)))
            table = pa.concat_tables(parts).take(pa.array(places))
            return self._rows(table, np.empty((len(rows), 0), dtype=np.float32), rows)

    @cached_property
    def _file(self) -> Any:
        with self._explained():
            return pq.ParquetFile(self.path, memory_map=True)

    @cached_property
    def _starts(self) -> Rows:
        metadata = self._file.metadata
        counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        return np.cumsum([0, *counts]).astype(np.int64)

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
    def _explained(self) -> Generator[None]:
        try:
            yield
        except embeddings.DAMAGE as error:
            raise InputError(f"cannot read embeddings from {self.path}: {error}") from error
