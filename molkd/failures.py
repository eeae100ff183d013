"""Reasons by row: kept right where rows are picked or parts are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from molkd.types import Embeddings, Rows

Failures = Mapping[int, str]
"""Row -> why it failed, in words."""


def picked(failures: Failures, rows: Rows) -> dict[int, str]:
    """Returns the reasons of some rows, by their new places."""
    if not failures:
        return {}
    return {place: failures[row] for place, row in enumerate(rows.tolist()) if row in failures}


def joined(parts: Sequence[tuple[int, Failures]]) -> dict[int, str]:
    """Returns the reasons of parts, each with its number of rows, one after the other."""
    offsets = [0, *accumulate(count for count, _ in parts)]
    return {
        row + offset: why
        for (_, failures), offset in zip(parts, offsets, strict=False)
        for row, why in failures.items()
    }


def aligned(
    count: int, dim: int, rows: Sequence[int], computed: npt.ArrayLike, failures: dict[int, str]
) -> Embeddings:
    """Puts what was computed for some rows into a table of all; rows without numbers are NaN.

    Args:
        count: rows of the table.
        dim: its width.
        rows: those that were computed.
        computed: shape (len(rows), dim).
        failures: reasons of rows that failed, completed where numbers are not finite.
    """
    values = np.full((count, dim), np.nan, dtype=np.float32)
    values[rows] = computed
    for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
        failures.setdefault(row, "the teacher returned NaN or infinity")
        values[row] = np.nan
    return Embeddings(values, dict(sorted(failures.items())))


def starts(sizes: npt.NDArray[np.int64]) -> Rows:
    """Returns where runs of so many entries begin and end, shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
