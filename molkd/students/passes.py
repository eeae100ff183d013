"""How items are shared out among passes of a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from molkd.types import Rows


def by_size(sizes: Rows, count: int) -> Iterator[Rows]:
    """Yields items alike in size, for networks that pad.

    Args:
        sizes: shape (n,), of the items.
        count: items per pass.

    Yields:
        Indices into `sizes`.
    """
    order = np.argsort(sizes, kind="stable")
    for start in range(0, len(order), count):
        yield order[start : start + count]


def in_order(sizes: Rows, count: int, size: int) -> Iterator[Rows]:
    """Yields items in their order, for networks that gain where neighbours are alike.

    Args:
        sizes: shape (n,), of the items.
        count: items per pass, at most.
        size: sum of sizes per pass, at most, unless a single item is larger.

    Yields:
        Indices into `sizes`.
    """
    ends, start = np.cumsum(sizes), 0
    while start < len(sizes):
        before = ends[start] - sizes[start]
        fitting = int(np.searchsorted(ends, before + size, side="right"))
        end = min(max(fitting, start + 1), start + count)
        yield np.arange(start, min(end, len(sizes)))
        start = end
