"""Finished parts of an embedding, on disk until the result is whole: what makes a job resumable."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from molkd.errors import CorruptFileError
from molkd.formats.arrow import number_array, numbers
from molkd.formats.writers.parquet import kept_arrays, kept_fields, text_arrays, text_fields
from molkd.formats.writers.table import EmbeddedChunk, KeptColumn
from molkd.runtime import files, locks, memory

_SHORTENED, _CLIPPED = b"shortened", b"clipped"
_KEPT = "kept:"
_HEAD = 130  # key, space, checksum of the rest, line feed


class Parts:
    """A folder with one file per chunk of rows, each marked with a key that says what it holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, index: int, key: str) -> EmbeddedChunk | None:
        """Returns a part, or None where it is absent, damaged or holds something else."""
        of_another_molkd = (LookupError, TypeError, ValueError, AttributeError, StopIteration)
        try:
            return self._read(index, key)
        except (OSError, CorruptFileError, *of_another_molkd):
            return None

    def holds(self, index: int, key: str) -> bool:
        """Whether a part is there, whole, and holds what the key says."""
        return self.find(index, key) is not None

    def read(self, index: int) -> EmbeddedChunk:
        """Returns a part that is known to be finished.

        Raises:
            CorruptFileError: it was damaged or removed since.
        """
        try:
            return self._read(index, None)
        except OSError as error:
            raise CorruptFileError(
                f"{self._path(index)} was removed meanwhile: run the same command again"
            ) from error

    def write(self, index: int, key: str, part: EmbeddedChunk) -> None:
        """Writes a part, atomically.

        Raises:
            OutputError: the disk is full or the folder cannot be written.
        """
        flat = number_array(part.values)
        lists = pa.FixedSizeListArray.from_arrays(flat, part.values.shape[1])
        kept = dict.fromkeys(part.kept, KeptColumn("text"))
        fields = [field.with_name(_KEPT + field.name) for field in kept_fields(kept)]
        schema = pa.schema(
            [*text_fields("item"), *fields, pa.field("values", lists.type)],
            metadata={_SHORTENED: str(part.shortened), _CLIPPED: str(part.clipped)},
        )
        arrays = [*text_arrays(part), *kept_arrays(part, kept), lists]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(pa.record_batch(arrays, schema=schema))
        data = sink.getvalue().to_pybytes()
        head = f"{key} {hashlib.sha256(data).hexdigest()}\n".encode()
        files.write_bytes(self._path(index), head + data)

    def remove(self) -> None:
        """Removes all parts, and the folder unless it holds other files."""
        for pattern in ("part-*.arrow", ".part-*.partial", locks.NAME):
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _path(self, index: int) -> Path:
        return self.folder / f"part-{index:08d}.arrow"

    def _read(self, index: int, key: str | None) -> EmbeddedChunk:
        path = self._path(index)
        data = path.read_bytes()
        written_key, _, checksum = data[: _HEAD - 1].decode("ascii", "replace").partition(" ")
        body = memoryview(data)[_HEAD:]
        whole = hashlib.sha256(body).hexdigest() == checksum
        if not whole or (key is not None and written_key != key):
            raise CorruptFileError(f"{path} is damaged: run the same command again")
        batch = pa.ipc.open_stream(pa.py_buffer(body)).read_next_batch()
        lists = batch.column("values")
        values = numbers(lists.flatten()).reshape(len(batch), lists.type.list_size)
        ids, items, errors = (
            cast("list[Any]", batch.column(name).to_pylist()) for name in ("id", "item", "error")
        )
        shortened, clipped = (int(batch.schema.metadata[name]) for name in (_SHORTENED, _CLIPPED))
        kept = {
            name.removeprefix(_KEPT): cast("list[Any]", batch.column(name).to_pylist())
            for name in batch.schema.names
            if name.startswith(_KEPT)
        }
        return EmbeddedChunk(ids, items, errors, values, shortened, clipped, kept)


@dataclass(frozen=True)
class Finished:
    """All parts in order, read from disk in every iteration.

    Attributes:
        parts: where they are.
        count: how many there are.
        named: whether any row has an identifier; if none has, the row numbers are taken.
        drop: whether rows without an embedding are left out.
        start: the number of the first row.
    """

    parts: Parts
    count: int
    named: bool
    drop: bool
    start: int = 0

    def __iter__(self) -> Iterator[EmbeddedChunk]:
        row0 = self.start
        for index in range(self.count):
            part = self.parts.read(index)
            rows = len(part)
            if not self.named:
                part = replace(part, ids=[str(row0 + row) for row in range(rows)])
            if self.drop:
                part = part.select(np.flatnonzero(part.valid))
            if len(part):
                yield part
            row0 += rows
            memory.release()
