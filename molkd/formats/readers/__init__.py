"""Reading items from any file, in chunks and in constant memory."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from molkd.errors import ConfigError, InputError
from molkd.formats import READERS
from molkd.formats.chunks import Chunk, Row
from molkd.formats.columns import NO_IDS, Columns
from molkd.formats.readers.folder import read_folder
from molkd.formats.streams import DAMAGE, open_bytes
from molkd.items.base import FileConventions
from molkd.items.molecules.modality import SMILES
from molkd.runtime.registry import near

_OTHER_SUFFIXES = {
    "smiles": "smi",
    "ism": "smi",
    "tab": "tsv",
    "pq": "parquet",
    "sd": "sdf",
    "mol": "sdf",
    "mdl": "sdf",
    "ndjson": "jsonl",
    "text": "txt",
}
_COMPRESSED = {"gz", "zst", "zstd"}

STANDARD_INPUT = "-"
FOLDER = "folder"


def read(
    source: str | Path,
    columns: Columns | None = None,
    *,
    kind: str | None = None,
    chunk_rows: int = 8192,
    opened: Callable[[BinaryIO], object] | None = None,
) -> Iterator[Chunk]:
    """Yields the rows of a file of items, or the files of a folder.

    Args:
        source: a file, plain or compressed with gzip or zstd, or "-" for standard input.
        columns: what the items are, and where; SMILES by default.
        kind: a name in `READERS`; by default what the suffix says.
        chunk_rows: rows at a time.
        opened: given the stream of the file, decompressed, before the first row is read.

    Raises:
        UnknownNameError: there is no such format.
        ConfigError: the suffix names no format of such items, or columns are chosen where there
            are none.
        InputError: the file is missing, empty, cut, damaged, of another format, or lacks a column.
    """
    columns = columns or Columns()
    kind = kind_of(source, kind, columns.style)
    standard_input = str(source) == STANDARD_INPUT
    name = "standard input" if standard_input else str(source)
    row0 = 0
    with contextlib.ExitStack() as stack:
        if kind == FOLDER:
            rows = read_folder(Path(source), columns)
        else:
            stream = stack.enter_context(open_bytes(None if standard_input else Path(source)))
            if opened:
                opened(stream)
            rows = _undamaged(READERS[kind](stream, name, columns), name)
        while chunk := list(itertools.islice(rows, chunk_rows)):
            if columns.id == NO_IDS:
                chunk = [(None, *row[1:]) for row in chunk]
            yield Chunk.of(row0, chunk, columns.style.column)
            row0 += len(chunk)
    if not row0:
        raise InputError(f"{name} holds no {columns.style.noun}")


def read_items(
    source: str | Path, columns: Columns | None = None, *, kind: str | None = None
) -> tuple[list[Any], dict[int, str]]:
    """Returns the items of all rows, and row -> reason for unreadable ones; see `read`.

    Of identifiers nothing is read.
    """
    items: list[Any] = []
    failures: dict[int, str] = {}
    columns = dataclasses.replace(columns or Columns(), id=NO_IDS)
    for records in read(source, columns, kind=kind):
        failures |= {records.row0 + row: reason for row, reason in records.failures.items()}
        items += records.readable
    return items, failures


def kind_of(source: str | Path, kind: str | None = None, style: FileConventions = SMILES) -> str:
    """Returns the format of a file, one of those of its items.

    Raises:
        UnknownNameError: there is no such format.
        ConfigError: the suffix names none, or such items do not come in it.
    """
    if FOLDER in style.formats and kind in {None, FOLDER} and Path(source).is_dir():
        return FOLDER
    if kind is None and str(source) == STANDARD_INPUT:
        raise ConfigError("standard input has no suffix: name its format with --input-format")
    suffixes = [part.lower() for part in (kind or Path(source).name).split(".")]
    if len(suffixes) > 1 and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    name = _OTHER_SUFFIXES.get(suffixes[-1], suffixes[-1])
    if name not in style.formats:
        if kind:
            READERS.resolve(name)  # refuses a name that no reader has
            what = f"{name} holds no {style.noun}"
        else:
            what = f"the suffix of {source} names no format"
        raise ConfigError(
            f"{what}.{near(name, style.formats)} Formats of {style.noun} are "
            f"{', '.join(style.formats)}: name one with --input-format"
        )
    return name


def _undamaged(rows: Iterator[Row], name: str) -> Iterator[Row]:
    """Yields rows; turns whatever a damaged file raises into an error that names the last row."""
    count = 0
    try:
        for row in rows:
            yield row
            count += 1
    except DAMAGE as error:
        last = f"the last good row is {count - 1}, counted from 0" if count else "no row is whole"
        raise InputError(
            f"{name} is cut or damaged: {error}; {last}. Copy or download the file again."
        ) from error
