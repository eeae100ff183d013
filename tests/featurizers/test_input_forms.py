"""Every usual form of input gives the same rows; bad items cost their own row, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rdkit import Chem
from scipy import sparse

from molkd.errors import InputError, ItemError, ShapeError

FORMS: dict[str, Callable[[list[str]], Any]] = {
    "list": list,
    "tuple": tuple,
    "generator": iter,
    "map": lambda items: map(str, items),
    "dict keys": lambda items: dict.fromkeys(items).keys(),
    "array of objects": lambda items: np.array(items, dtype=object),
    "array of text": np.array,
    "array with one column": lambda items: np.array(items, dtype=object).reshape(-1, 1),
    "Series with another index": lambda items: pd.Series(items, index=range(5, 5 + len(items))),
    "Series of Arrow text": lambda items: pd.Series(items, dtype="string[pyarrow]"),
    "Index": pd.Index,
    "categorical Series": lambda items: pd.Series(items, dtype="category"),
    "frame": lambda items: pd.DataFrame({"smiles": items}),
    "polars Series": pl.Series,
    "polars frame": lambda items: pl.DataFrame({"smiles": items}),
    "Arrow array": pa.array,
    "Arrow chunks": lambda items: pa.chunked_array([items[:3], items[3:]]),
    "Arrow table": lambda items: pa.table({"smiles": items}),
    "molecules": lambda items: [Chem.MolFromSmiles(item) for item in items],
    "array of molecules": lambda items: np.array([Chem.MolFromSmiles(item) for item in items]),
    "Series of molecules": lambda items: pd.Series([Chem.MolFromSmiles(item) for item in items]),
    "mixture": lambda items: [Chem.MolFromSmiles(items[0]), *items[1:]],
}


def test_every_form_gives_equal_rows(estimator: Any, smiles: list[str]) -> None:
    expected = estimator.transform(smiles)
    for name, form in FORMS.items():
        assert_array_equal(estimator.transform(form(smiles)), expected, err_msg=name)
        assert_array_equal(estimator.fit_transform(form(smiles)), expected, err_msg=name)


def test_a_single_molecule_is_one_row(estimator: Any) -> None:
    expected = estimator.transform(["CCO"])
    for single in ("CCO", np.str_("CCO"), Chem.MolFromSmiles("CCO")):
        assert_allclose(estimator.transform(single), expected, atol=1e-5)


BAD_ITEMS: dict[str, tuple[object, str]] = {
    "syntax": ("C1CC", "SMILES"),
    "valence": ("C(C)(C)(C)(C)C", "valence"),
    "empty": ("", "empty SMILES"),
    "blank": ("  ", "empty SMILES"),
    "None": (None, "missing value"),
    "nan": (float("nan"), "missing value"),
    "pandas NA": (pd.NA, "missing value"),
    "pandas NaT": (pd.NaT, "missing value"),
    "number": (42, "type int"),
    "bytes": (b"CCO", "type bytes"),
    "list": (["CCO"], "type list"),
    "no atoms": (Chem.Mol(), "without atoms"),
    "huge": ("C" * 5000, "5000 heavy atoms"),
}


def test_a_bad_item_costs_its_own_row(estimator: Any) -> None:
    items = ["CCO", *(item for item, _ in BAD_ITEMS.values()), "c1ccccc1"]
    bad = list(range(1, len(items) - 1))
    with pytest.raises(ItemError) as caught:
        estimator.transform(items)
    assert caught.value.rows == bad
    kept = estimator.set_params(on_invalid="null").transform(items)
    assert np.isnan(kept[bad]).all()
    assert_allclose(kept[[0, -1]], estimator.transform(["CCO", "c1ccccc1"]), atol=1e-5)
    failures = estimator.embed(items).failures
    assert list(failures) == bad
    for (name, (_, reason)), said in zip(BAD_ITEMS.items(), failures.values(), strict=True):
        assert reason in said, name


def test_all_items_may_be_bad(estimator: Any) -> None:
    values = estimator.set_params(on_invalid="null").transform([None, "", "x"])
    assert values.shape == (3, len(estimator))
    assert np.isnan(values).all()


def test_the_error_names_every_bad_row(estimator: Any) -> None:
    with pytest.raises(ItemError, match=r"3 of 4 items .*on_invalid='null'") as caught:
        estimator.transform(["", "CCO", None, "x"])
    assert caught.value.rows == [0, 2, 3]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["CCO", None]),
        pd.Series(["CCO", np.nan], dtype=object),
        pd.Series(["CCO", pd.NA], dtype="string"),
        pl.Series(["CCO", None]),
        pa.array(["CCO", None]),
        np.array(["CCO", None], dtype=object),
        np.ma.array(["CCO", "CC"], mask=[False, True], dtype=object),
    ],
    ids=["str", "object", "NA", "polars", "Arrow", "array", "masked"],
)
def test_missing_values_of_every_library_have_a_reason(column: Any, estimator: Any) -> None:
    with pytest.raises(ItemError, match="row 1: no SMILES but a missing value"):
        estimator.transform(column)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (pd.DataFrame({"a": ["C"], "b": ["C"]}), ShapeError, r"one column.*\(1, 2\)"),
        (pd.DataFrame(), ShapeError, r"one column.*\(0, 0\)"),
        (np.array([["C", "C"]]), ShapeError, r"one column.*\(1, 2\)"),
        (np.array("C"), ShapeError, r"one column.*\(\)"),
        (np.zeros((2, 1, 1)), ShapeError, "one column"),
        (pl.DataFrame({"a": ["C"], "b": ["C"]}), ShapeError, "one column"),
        (sparse.csr_array(np.eye(3)), InputError, "sparse data"),
        ({"smiles": ["C"]}, InputError, "got dict"),
        ({"C", "CC"}, InputError, "got set"),
        (None, InputError, "got NoneType"),
        (3.5, InputError, "got float"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_what_is_no_column_is_refused(
    X: object, error: type[Exception], message: str, estimator: Any
) -> None:
    for method in (estimator.fit, estimator.transform, estimator.fit_transform):
        with pytest.raises(error, match=message):
            method(X)


def test_fit_does_not_consume_a_generator(estimator: Any) -> None:
    items = iter(["CCO", "C"])
    estimator.fit(items)
    assert list(items) == ["CCO", "C"]


def test_numbers_become_reasons_not_a_crash(estimator: Any) -> None:
    with pytest.raises(ItemError, match="type float"):
        estimator.transform(np.array([1.0, 2.0]))
