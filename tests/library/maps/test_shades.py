"""What a column holds decides how it is shown."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pytest

from molkd.library.maps.shades import shades


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([1, 2, None]), "number"),
        (pa.array([1.5, float("nan")]), "number"),
        (pa.array([decimal.Decimal("1.5")]), "number"),
        (pa.array([True, False, None]), "category"),
        (pa.array(["a", "b", "a", "b"]), "category"),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "category"),
        (pa.chunked_array([["a", "a"], ["b", "b"]]), "category"),
        (pa.array(["one", "two", "three", "four"]), "text"),
        (pa.array([None, None], pa.null()), "category"),
        (pa.array([[1], [2]]), "category"),
        (pa.array([b"\xff", b"\xff"]), "category"),
        (pa.array([1, 2], pa.duration("s")), "category"),
        (pa.array([], pa.float64()), "number"),
    ],
)
def test_kinds_of_columns(array: pa.Array, kind: str) -> None:
    assert [shade.kind for shade in shades({"column": array})] == [kind]


def test_numbers_are_categories_where_they_are_said_or_called_to_be() -> None:
    columns = {"cluster": pa.array([1, 2, 2]), "batch": pa.array([1.0, 2.5, None])}
    cluster, batch = shades(columns, ["batch"])
    assert cluster.labels == ("2", "1")
    assert cluster.values.tolist() == [2, 1, 1]
    assert batch.labels == ("1", "2.5")
    assert batch.missing == 1


def test_colours_run_between_percentiles_of_what_is_finite() -> None:
    values = [*np.linspace(0, 1, 100), 1e9, float("inf"), float("nan")]
    (shade,) = shades({"x": pa.array(values)})
    least, low, high, most = shade.range
    assert (least, most) == (0.0, 1e9)
    assert 0 < low < 0.1
    assert 0.9 < high < 1.1
    assert shade.missing == 1


@pytest.mark.parametrize(("values", "ends"), [([None], (0, 0, 0, 0)), ([2.0, 2.0], (2, 2, 2, 2))])
def test_columns_without_a_range_have_one(values: list, ends: tuple) -> None:
    (shade,) = shades({"x": pa.array(values, pa.float64())})
    assert shade.range == ends
