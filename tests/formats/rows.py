"""Rows of a file as the readers give them, as one chunk; for the tests of formats."""

from __future__ import annotations

from pathlib import Path

from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import read


def rows_of(
    path: Path | str, columns: Columns | None = None, *, kind: str | None = None, rows: int = 8192
) -> Chunk:
    chunks = list(read(path, columns, kind=kind, chunk_rows=rows))
    sizes = [len(chunk) for chunk in chunks]
    assert [chunk.row0 for chunk in chunks] == [sum(sizes[:one]) for one in range(len(sizes))]
    names = dict.fromkeys(name for chunk in chunks for name in chunk.kept)
    kept = {
        name: [one for c in chunks for one in c.kept.get(name, [None] * len(c))] for name in names
    }
    return Chunk(
        0,
        [name for chunk in chunks for name in chunk.ids],
        [item for chunk in chunks for item in chunk.items],
        {chunk.row0 + row: why for chunk in chunks for row, why in chunk.failures.items()},
        kept,
    )


def file(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
