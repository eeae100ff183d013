"""Exact search finds what a sort of all cosines finds, in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.library import exact


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_of_any_size_give_what_a_sort_of_all_gives(block: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 8)).astype(np.float32)
    values[[5, 17]] = np.nan
    queries = exact.unit(rng.normal(size=(600, 8)).astype(np.float32))
    blocks = [values[start : start + block] for start in range(0, 60, block)]
    found = exact.nearest(queries, blocks, 9)
    cosines = np.nan_to_num(queries @ exact.unit(values).T, nan=-2)
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :9]
    np.testing.assert_array_equal(found.rows, expected)
    np.testing.assert_allclose(found.cosines, np.take_along_axis(cosines, expected, 1), atol=1e-6)


def test_what_is_not_there_is_no_neighbour() -> None:
    values = np.array([[1, 0], [np.nan, np.nan], [0, 0], [3, 0]], dtype=np.float32)
    found = exact.nearest(np.array([[1, 0]], dtype=np.float32), [values], 4)
    assert found.rows.tolist() == [[0, 3, -1, -1]]
    assert found.cosines[0, :2].tolist() == [1, 1]


@pytest.mark.parametrize("block", [2, 30, 1000])
def test_of_equally_near_rows_the_first_are_found(block: int) -> None:
    near = np.random.default_rng(0).permutation(1000)[:12]
    values = np.zeros((1000, 2), dtype=np.float32)
    values[:, 1] = 1
    values[near] = [1, 0]
    values[near[0]] = np.nan
    blocks = [values[start : start + block] for start in range(0, 1000, block)]
    found = exact.nearest(np.array([[1, 0], [0, 1]], dtype=np.float32), blocks, 5)
    assert found.rows[0].tolist() == sorted(near[1:].tolist())[:5]
    assert found.rows[1].tolist() == [row for row in range(1000) if row not in near][:5]
