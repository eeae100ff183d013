"""Reading molecules from any file, in chunks and in constant memory.

A new format is a function in a file of its own and a line in `READERS`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from molkd.errors import ConfigError, InputError
from molkd.formats.delimited_reader import read_csv, read_tsv
from molkd.formats.parquet_reader import read_parquet
from molkd.formats.records import Columns, Records, Row
from molkd.formats.sdf_reader import read_sdf
from molkd.formats.smi_reader import read_smi
from molkd.formats.sources import DAMAGE, open_bytes
from molkd.registry import near

Reader = Callable[[BinaryIO, str, Columns], Iterator[Row]]
"""From a decompressed stream, its name for messages and the choice of columns to rows."""

READERS: Mapping[str, Reader] = {
    "smi": read_smi,
    "csv": read_csv,
    "tsv": read_tsv,
    "parquet": read_parquet,
    "sdf": read_sdf,
}

_OTHER_SUFFIXES = {"smiles": "smi", "ism": "smi", "tab": "tsv", "pq": "parquet", "sd": "sdf"}
_COMPRESSED = {"gz", "zst", "zstd"}

STANDARD_INPUT = "-"


def read(
    source: str | Path,
    columns: Columns | None = None,
    *,
    kind: str | None = None,
    chunk_rows: int = 8192,
) -> Iterator[Records]:
    """Yields the rows of a file of molecules.

    Args:
        source: a file, plain or compressed with gzip or zstd, or "-" for standard input.
        columns: where SMILES and identifiers are.
        kind: a key of `READERS`; by default what the suffix says.
        chunk_rows: rows at a time.

    Raises:
        ConfigError: the format is unknown, or columns are chosen where there are none.
        InputError: the file is missing, empty, cut, damaged, not UTF-8, or lacks a column.
    """
    reader = READERS[kind_of(source, kind)]
    standard_input = str(source) == STANDARD_INPUT
    name = "standard input" if standard_input else str(source)
    with open_bytes(None if standard_input else Path(source)) as stream:
        rows = _undamaged(reader(stream, name, columns or Columns()), name)
        row0 = 0
        while chunk := list(itertools.islice(rows, chunk_rows)):
            yield Records.of(row0, chunk)
            row0 += len(chunk)
    if not row0:
        raise InputError(f"{name} holds no molecules")


def kind_of(source: str | Path, kind: str | None = None) -> str:
    """Returns the format of a file, a key of `READERS`.

    Raises:
        ConfigError: it is unknown.
    """
    if kind is None and str(source) == STANDARD_INPUT:
        raise ConfigError("standard input has no suffix: name its format with --input-format")
    suffixes = [part.lower() for part in (kind or Path(source).name).split(".")]
    if len(suffixes) > 1 and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    found = _OTHER_SUFFIXES.get(suffixes[-1], suffixes[-1])
    if found not in READERS:
        what = f"unknown format {kind!r}" if kind else f"the suffix of {source} names no format"
        raise ConfigError(
            f"{what}.{near(found, READERS)} Formats are {', '.join(READERS)}: "
            "name one with --input-format"
        )
    return found


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
