"""Every item is in one pass, and no pass is larger than asked for."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.students import passes


def test_in_order_keeps_the_order_and_both_bounds() -> None:
    sizes = np.array([3, 3, 3, 50, 1, 1, 1, 1, 8])
    found = [one.tolist() for one in passes.in_order(sizes, 3, 10)]
    assert found == [[0, 1, 2], [3], [4, 5, 6], [7, 8]]


def test_by_size_puts_like_with_like() -> None:
    found = [one.tolist() for one in passes.by_size(np.array([5, 1, 4, 1]), 2)]
    assert found == [[1, 3], [2, 0]]


@pytest.mark.parametrize("count", [1, 4, 100])
def test_nothing_is_lost(count: int) -> None:
    sizes = np.random.default_rng(0).integers(0, 30, size=57)
    for parts in (passes.by_size(sizes, count), passes.in_order(sizes, count, 40)):
        assert sorted(np.concatenate(list(parts))) == list(range(57))
    assert list(passes.in_order(sizes[:0], count, 40)) == []
