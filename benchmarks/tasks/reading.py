"""Tables of items and labels on disk: reading that names the row of what makes no sense."""

from __future__ import annotations

import csv
import gzip
import json
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zstandard
from pandas.errors import ParserWarning

from molkd.benchmarks.tasks.task import Labels
from molkd.errors import ConfigError, InputError
from molkd.formats.columns import Columns
from molkd.formats.readers.sniffing import DELIMITERS
from molkd.formats.streams import open_bytes, text_lines
from molkd.items.molecules.modality import SMILES
from molkd.runtime.registry import near
from molkd.types import Mask


def load(path: Path) -> pd.DataFrame:
    """Reads a table; the fields of CSV and TSV stay text.

    Raises:
        ConfigError: the suffix names no format of tables.
        InputError: the file is missing, empty or damaged, or a row has another number of fields
            than the header.
    """
    kind = _kind(path)
    if kind is None:
        raise ConfigError(
            f"{path}: the suffix names no format of tables; they are {', '.join(SUFFIXES)}, "
            "compressed or not"
        )
    damage = (OSError, ValueError, EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            frame = kind(path)
    except (*damage, ParserWarning) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    return _named(frame, path)


def of(frame: Any) -> pd.DataFrame:
    """Returns a data frame of pandas, or of what turns into one (polars, Arrow), as `load` would.

    Raises:
        InputError: it holds no rows.
    """
    found: pd.DataFrame = frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()
    return _named(found.set_axis(found.columns, axis=1), "the data frame")


def _named(frame: pd.DataFrame, place: object) -> pd.DataFrame:
    frame.columns = [str(column).strip() for column in frame.columns]
    if not len(frame):
        raise InputError(f"{place} holds no rows")
    return frame


def has_format(path: Path) -> bool:
    """Whether the suffix of a file names a format of tables."""
    return _kind(path) is not None


def strings(frame: pd.DataFrame, column: str, path: Path) -> list[str]:
    """Returns a column of texts as they are; what is missing, or no text, is empty.

    Raises:
        InputError: there is no such column.
    """
    values: list[object] = _column(frame, column, path).tolist()
    return [value if isinstance(value, str) else "" for value in values]


def classes(names: Sequence[str | int | float | None]) -> Labels:
    """Numbers classes in the order of their names, numbers by size; shape (n,).

    Returns:
        NaN where a name is missing: empty, None or NaN.
    """
    different = {name for name in names if not _missing(name)}
    order = sorted(different, key=lambda name: (isinstance(name, str), name))
    places = {name: float(place) for place, name in enumerate(order)}
    return np.array([places.get(name, np.nan) for name in names])


def smiles(frame: pd.DataFrame, column: str | None, path: Path) -> tuple[str, ...]:
    """Returns the SMILES; a missing one is empty.

    Raises:
        InputError: there is no such column, or none with a usual name.
    """
    place = Columns(column).find(list(frame.columns), str(path)).item
    return tuple(_text(value) for value in frame.iloc[:, place])


def texts(frame: pd.DataFrame, column: str, path: Path) -> list[str]:
    """Returns a column as text without spaces around it; what is missing is empty.

    Raises:
        InputError: there is no such column.
    """
    return [_text(value) for value in _column(frame, column, path)]


def numbers(frame: pd.DataFrame, column: str, path: Path) -> Labels:
    """Returns a column as numbers, shape (n,); what is missing is NaN.

    Raises:
        InputError: there is no such column, or a field is no number (names its row).
    """
    values = _column(frame, column, path)
    present = values.map(lambda value: _TRUTH.get(str(value).lower(), _text(value) or None))
    parsed = np.asarray(pd.to_numeric(present, errors="coerce"), dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(parsed) & present.notna().to_numpy())
    if len(wrong):
        raise InputError(
            f"{path}, row {wrong[0]} (counted from 0): {column} is {present.iloc[wrong[0]]!r}, "
            "must be a number; leave the field empty where there is none"
        )
    return parsed


def _csv(path: Path, separator: str = ",") -> pd.DataFrame:
    """A table whose header has this separator or else another usual one."""
    with open_bytes(path) as stream:
        header = next(text_lines(stream, str(path)), "")
    separator = next((one for one in (separator, *DELIMITERS) if one in header), separator)
    frame = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, index_col=False)
    with open_bytes(path) as stream:  # pandas fills up a row that is too short
        rows = csv.reader(text_lines(stream, str(path)), delimiter=separator)
        names = next(rows, [])
        for row, fields in enumerate(filter(None, rows)):
            if len(fields) < len(names):
                raise ValueError(
                    f"row {row} (counted from 0, without blank lines) has fewer fields than the "
                    "header"
                )
    if len(names) == frame.shape[1]:  # pandas renames a second column of the same name
        frame.columns = names
    return frame


def _tsv(path: Path) -> pd.DataFrame:
    return _csv(path, "\t")


def _json_lines(path: Path) -> pd.DataFrame:
    with open_bytes(path) as stream:
        rows = [json.loads(line) for line in stream if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a line holds no JSON object")
    return pd.DataFrame(rows)


def _kind(path: Path) -> Callable[[Path], pd.DataFrame] | None:
    suffixes = [suffix.lstrip(".").lower() for suffix in path.suffixes]
    return next((SUFFIXES[suffix] for suffix in suffixes[-2:] if suffix in SUFFIXES), None)


SUFFIXES: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": _csv,
    "tsv": _tsv,
    "tab": _tsv,
    "parquet": pd.read_parquet,
    "pq": pd.read_parquet,
    "jsonl": _json_lines,
}
"""Suffix -> reader of a format of tables."""


_TRUTH = {"true": "1", "false": "0"}


def _missing(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))


def _text(value: object) -> str:
    """A field as text; what stands for a missing value is empty."""
    text = "" if value is None else str(value).strip()
    return "" if text in SMILES.missing else text


def _column(frame: pd.DataFrame, column: str, path: Path) -> pd.Series:
    names = list(frame.columns)
    if names.count(column) != 1:
        what = "several columns" if column in names else "no column"
        raise InputError(f"{path} has {what} {column!r}.{near(column, names)} {listed(names)}")
    return frame.iloc[:, names.index(column)]


def listed(names: Sequence[str], shown: int = 30) -> str:
    """Returns the columns of a table in a sentence."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"Columns: {', '.join(map(repr, names[:shown]))}{more}."


def mask(values: Sequence[str], wanted: str) -> Mask:
    """Returns shape (n,): where a text is the wanted one, whatever its case."""
    return np.array([value.lower() == wanted for value in values], dtype=np.bool_)
