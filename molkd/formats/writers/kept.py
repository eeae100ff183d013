"""Columns of the input that are carried to the output: text until it is known what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.formats.writers.table import EmbeddedChunk, KeptColumn

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LARGEST, _EXACT = 2**63 - 1, 2**53
_MISSING = frozenset({"", "nan", "NaN", "NAN", "NA", "N/A", "<NA>", "null", "NULL", "None", "none"})
"""What stands for a missing value in a column of numbers."""


@dataclass
class _Evidence:
    """What has been seen of a column so far."""

    integers: bool = True
    numbers: bool = True
    some: bool = False
    gaps: bool = False
    largest: int = 0

    def look(self, value: str | None) -> None:
        """Takes a value into account."""
        if value is None or value in _MISSING:
            self.gaps = True
            return
        self.some = True
        if not self.numbers:
            return
        if _INTEGER.fullmatch(value):
            self.largest = max(self.largest, abs(int(value)))
        else:
            self.integers = False
            self.numbers = _is_exact(value)

    @property
    def column(self) -> KeptColumn:
        """The kind that holds all values, with all their digits."""
        integers = self.integers and self.largest <= _LARGEST
        if self.some and self.numbers and integers:
            return KeptColumn("integer", gaps=self.gaps, exact=self.largest <= _EXACT)
        if self.some and self.numbers and self.largest <= _EXACT:
            return KeptColumn("number", gaps=self.gaps)
        return KeptColumn("text", gaps=self.gaps)


def columns_of(chunks: Iterable[EmbeddedChunk]) -> dict[str, KeptColumn]:
    """Returns the columns that some rows have, in order of appearance, and what they hold."""
    found: dict[str, _Evidence] = {}
    rows = 0
    for chunk in chunks:
        for name, values in chunk.kept.items():
            evidence = found.setdefault(name, _Evidence(gaps=rows > 0))
            for value in values:
                evidence.look(value)
        for name in found.keys() - chunk.kept.keys():
            found[name].gaps = True
        rows += len(chunk)
    return {name: evidence.column for name, evidence in found.items()}


def values_of(chunk: EmbeddedChunk, name: str, column: KeptColumn) -> Sequence[Any]:
    """Returns a kept column of a chunk as integers, numbers or texts; None for missing values."""
    return _read(chunk.kept.get(name) or [None] * len(chunk), column)


def typed(texts: Sequence[str | None]) -> Sequence[Any]:
    """Returns a column of texts as integers, numbers or texts; see `columns_of`."""
    evidence = _Evidence()
    for text in texts:
        evidence.look(text)
    return _read(texts, evidence.column)


def _read(texts: Sequence[str | None], column: KeptColumn) -> Sequence[Any]:
    if column.kind == "text":
        return texts
    read = int if column.kind == "integer" else float
    return [None if text is None or text in _MISSING else read(text) for text in texts]


def array_of(chunk: EmbeddedChunk, name: str, column: KeptColumn) -> npt.NDArray[Any]:
    """Returns a kept column as an array that needs no pickle; NaN or "" for missing values.

    Integers that have gaps become floating-point numbers where these hold them, or else texts.
    """
    if column.kind == "integer" and not column.gaps:
        return np.array(values_of(chunk, name, column), dtype=np.int64)
    if column.kind == "text" or (column.kind == "integer" and not column.exact):
        return np.array([text or "" for text in values_of(chunk, name, KeptColumn("text"))])
    values = values_of(chunk, name, column)
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)


def _is_exact(text: str) -> bool:
    """Whether a text is a number whose digits a floating-point number brings back."""
    if not _NUMBER.fullmatch(text) or text.lstrip("-").isdigit():
        return False
    value = float(text)
    return bool(np.isfinite(value)) and Decimal(repr(value)) == Decimal(text)
