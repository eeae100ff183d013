"""Tables of comma-separated values, as `molkd.formats.writers.csv` writes them and others do."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc

from molkd.formats.writers.kept import typed

DIMENSION = re.compile(r"molkd_\d+")
"""Columns of an embedding."""


def names(path: Path) -> list[str]:
    """Returns the columns of a table.

    Raises:
        OSError, pyarrow.ArrowException: it cannot be read.
    """
    with pc.open_csv(path) as stream:
        return list(stream.schema.names)


def read(path: Path, texts: Collection[str], own: Collection[str]) -> Any:
    """Reads a table; of one of ours columns that were carried along hold what they held.

    So "007" stays a text in a column of codes, as it does in other formats.

    Args:
        path: of the table.
        texts: columns that are texts.
        own: names of all columns but those of the embedding and those that were carried along.

    Raises:
        OSError, pyarrow.ArrowException: it cannot be read.
    """
    columns = names(path)
    ours = any(map(DIMENSION.fullmatch, columns))
    kept = [name for name in columns if name not in own and not DIMENSION.fullmatch(name)]
    types = dict.fromkeys((*texts, *(kept if ours else ())), pa.string())
    parse = pc.ParseOptions(newlines_in_values=True)
    convert = pc.ConvertOptions(column_types=types)
    table = pc.read_csv(path, parse_options=parse, convert_options=convert)
    for name in kept if ours else ():
        column = pa.array(typed([text or None for text in table[name].to_pylist()]))
        table = table.set_column(table.column_names.index(name), name, column)
    return table
