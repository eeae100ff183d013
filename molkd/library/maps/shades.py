"""Columns of a library as a map shows them: numbers along a ramp, categories, or text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from molkd.errors import UnknownNameError

MOST = 64
"""Different texts up to which a column is one of categories, and half the rows at most."""

_BY_NAME = ("cluster",)
"""Columns of whole numbers that are names of groups."""

RAMP_LIGHT = ("#440154", "#414487", "#2a788e", "#22a884", "#6cc24a", "#c2cf25")
RAMP_DARK = ("#5566c4", "#3d8fb8", "#2fb092", "#7ad151", "#c9dd3a", "#fde725")
"""Colours from the least to the largest number: viridis without what light or dark ground hides."""

KINDS_LIGHT = (
    *("#1f5fa9", "#c43d10", "#2a8f4a", "#8a4fa8", "#b07d00", "#14909e"),
    *("#c2407f", "#7a4a2b", "#5a6acf", "#7f9f1f", "#d0805a", "#8d97a3"),
)
KINDS_DARK = (
    *("#82b6f2", "#ff8f66", "#6fce8b", "#cf9be8", "#e8c050", "#5fd0dc"),
    *("#f591c0", "#c99b7d", "#a7b1ff", "#bede62", "#ffc3a3", "#7d8896"),
)
"""Colours of categories, the most frequent first; the last is that of all others."""


@dataclass(frozen=True, slots=True)
class Shade:
    """A column that can be shown.

    Attributes:
        name: of the column.
        kind: what it holds.
        values: of numbers shape (n,), NaN where missing; of categories the place among the labels
            + 1, 0 where missing; empty for text.
        labels: of categories, the most frequent first.
        texts: one per row, of text; "" where missing.
    """

    name: str
    kind: Literal["number", "category", "text"]
    values: npt.NDArray[Any]
    labels: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """Rows without a value."""
        empty = np.isnan(self.values) if self.kind == "number" else self.values == 0
        return int(empty.sum())

    @property
    def range(self) -> tuple[float, float, float, float]:
        """Of numbers: least, 2nd and 98th percentile, largest; zeros where there is none.

        Colours run between the percentiles, so that a few outliers do not take them all.
        """
        finite = self.values[np.isfinite(self.values)]
        if not len(finite):
            return 0.0, 0.0, 0.0, 0.0
        low, high = np.percentile(finite, [2, 98])
        if low == high:
            low, high = finite.min(), finite.max()
        return float(finite.min()), float(low), float(high), float(finite.max())


def shades(columns: Mapping[str, Any], categories: Collection[str] = ()) -> list[Shade]:
    """Returns columns as they are shown.

    Args:
        columns: name -> Arrow array.
        categories: names of columns that hold groups, whatever they look like.

    Raises:
        UnknownNameError: there is no column of that name.
    """
    for name in categories:
        known(name, columns)
    return [
        _shade(name, _plain(column), forced=name in categories or name.lower() in _BY_NAME)
        for name, column in columns.items()
    ]


def known(name: str, columns: Collection[str]) -> str:
    """Returns the name of a column.

    Raises:
        UnknownNameError: there is none of that name; lists those that there are.
    """
    if name not in columns:
        there = ", ".join(map(repr, columns)) or "none: molkd embed --keep takes some along"
        raise UnknownNameError(f"there is no column {name!r}; columns: {there}")
    return name


def tabular(column: Any) -> Any:
    """Returns a column as every format of tables can hold it: lists and the like as text."""
    array = _plain(column)
    kind = array.type
    simple = pa.types.is_primitive(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind)
    return array if simple else _texts(array)


def _plain(column: Any) -> Any:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _shade(name: str, array: Any, *, forced: bool) -> Shade:
    kind = array.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if numeric and not forced:
        numbers = array.cast(pa.float64(), safe=False)
        return Shade(name, "number", numbers.to_numpy(zero_copy_only=False).astype(np.float64))
    texts = _texts(array)
    counts = Counter(text for text in texts.to_pylist() if text)
    if forced or len(counts) <= min(MOST, max(2, len(texts) // 2)):
        labels = sorted(counts, key=lambda text: (-counts[text], text))
        places = {label: place for place, label in enumerate(labels, 1)}
        codes = np.fromiter((places.get(text, 0) for text in texts.to_pylist()), np.int64)
        return Shade(name, "category", codes, labels=tuple(labels))
    return Shade(name, "text", np.zeros(0), texts=tuple(text or "" for text in texts.to_pylist()))


def _texts(array: Any) -> Any:
    """Values as text; a number that is whole is written without a point."""
    if pa.types.is_floating(array.type):
        values = array.to_pylist()
        return pa.array(
            [None if v is None or math.isnan(v) else f"{v:g}" for v in values], pa.string()
        )
    try:
        return array.cast(pa.string())
    except pa.ArrowException:  # lists, bytes, durations
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())
