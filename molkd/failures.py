"""Reasons of failed rows, by row: renumbered where rows are selected or parts are joined."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from molkd.types import Embeddings, Rows

Failures = Mapping[int, str]
"""Row -> why it failed, in words."""


def picked(failures: Failures, rows: Rows) -> dict[int, str]:
    """Returns the reasons of some rows, by their positions among these."""
    if not failures:
        return {}
    return {place: failures[row] for place, row in enumerate(rows.tolist()) if row in failures}


def joined(parts: Sequence[tuple[int, Failures]]) -> dict[int, str]:
    """Returns the reasons of consecutive parts, each given by its number of rows and reasons."""
    offsets = [0, *accumulate(count for count, _ in parts)]
    return {
        row + offset: why
        for (_, failures), offset in zip(parts, offsets, strict=False)
        for row, why in failures.items()
    }


def aligned(
    count: int, dim: int, rows: Sequence[int], computed: npt.ArrayLike, failures: dict[int, str]
) -> Embeddings:
    """Places vectors computed for some rows among all rows; the others are NaN.

    Args:
        count: number of all rows.
        dim: width of a vector.
        rows: those with a vector.
        computed: shape (len(rows), dim).
        failures: row -> reason; gets one for every vector that is not finite.
    """
    values = np.full((count, dim), np.nan, dtype=np.float32)
    values[rows] = computed
    for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
        failures.setdefault(row, "the teacher returned NaN or infinity")
        values[row] = np.nan
    return Embeddings(values, dict(sorted(failures.items())))


def packed_reasons(failures: Mapping[int, str]) -> npt.NDArray[np.uint8]:
    """Returns row -> reason as an array of bytes, which a file of arrays can hold."""
    return np.frombuffer(json.dumps(list(failures.items())).encode(), dtype=np.uint8)


def reasons_of(packed: npt.NDArray[np.uint8]) -> dict[int, str]:
    """Returns what `packed_reasons` packed."""
    return {int(row): str(why) for row, why in json.loads(packed.tobytes())}
