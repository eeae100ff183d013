"""Pipelines, searches, columns and output formats, as users of scikit-learn put them together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.validation import check_is_fitted

from molkd.errors import ItemError
from molkd.featurizers import MolKDTransformer
from molkd.teachers.rdkit.fingerprints import MaccsTeacher, MorganTeacher


@pytest.fixture
def y(smiles: list[str]) -> list[float]:
    return [float(len(one)) for one in smiles]


def test_pipeline(estimator: Any, smiles: list[str], y: list[float]) -> None:
    pipeline = make_pipeline(estimator, StandardScaler(), Ridge(alpha=1e-3)).fit(smiles, y)
    assert pipeline.score(smiles, y) > 0.9
    names = pipeline[:-1].get_feature_names_out()
    assert names[0] == f"{type(estimator).__name__.lower()}0"
    assert len(names) == len(estimator)


def test_pipeline_with_memory(
    transformer: Any, smiles: list[str], y: list[float], tmp_path: Path
) -> None:
    plain = make_pipeline(clone(transformer), Ridge()).fit(smiles, y).predict(smiles)
    for _ in range(2):  # the second time from the cache
        cached = make_pipeline(clone(transformer), Ridge(), memory=str(tmp_path)).fit(smiles, y)
        assert_allclose(cached.predict(smiles), plain)
    assert any(tmp_path.rglob("output.pkl"))


def test_grid_search_in_processes(
    student_folder: Path, other_folder: Path, smiles: list[str], y: list[float]
) -> None:
    pipeline = Pipeline([("molkd", MolKDTransformer(str(student_folder))), ("ridge", Ridge())])
    grid = {"molkd__model": [str(student_folder), str(other_folder)], "ridge__alpha": [0.1, 1.0]}
    results = {
        jobs: GridSearchCV(pipeline, grid, cv=2, n_jobs=jobs, error_score="raise").fit(smiles, y)
        for jobs in (1, 2)
    }
    scores = [search.cv_results_["mean_test_score"] for search in results.values()]
    assert_allclose(scores[0], scores[1], rtol=1e-4)
    assert len({round(score, 6) for score in scores[0]}) == 4  # every parameter took effect
    assert results[2].predict(smiles).shape == (len(smiles),)


def test_search_over_a_fingerprint(smiles: list[str], y: list[float]) -> None:
    pipeline = make_pipeline(MorganTeacher(width=64), Ridge())
    search = GridSearchCV(pipeline, {"morganteacher__radius": [0, 2]}, cv=2).fit(smiles, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_cross_validation_reads_the_student_once(
    transformer: Any, smiles: list[str], y: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from molkd import students
    from molkd.featurizers import transformer as module

    modality: list[str] = []
    load = students.load
    monkeypatch.setattr(students, "load", lambda model: modality.append(model) or load(model))
    module._cached.cache_clear()
    cross_val_score(make_pipeline(transformer, Ridge()), smiles, y, cv=3)
    assert len(modality) == 1


@pytest.mark.parametrize("columns", ["smiles", ["smiles"]], ids=["name", "list"])
def test_column_transformer(columns: Any, estimator: Any, smiles: list[str]) -> None:
    frame = pd.DataFrame({"smiles": smiles, "mass": range(len(smiles))}).set_index(
        pd.Index(range(100, 100 + len(smiles)))
    )
    chosen = ColumnTransformer([("mol", estimator, columns), ("rest", "passthrough", ["mass"])])
    values = chosen.fit_transform(frame)
    assert values.shape == (len(smiles), len(estimator) + 1)
    assert_allclose(values[:, :-1], estimator.transform(smiles), atol=1e-5)
    assert chosen.get_feature_names_out()[-1] == "rest__mass"


def test_column_transformer_over_polars(estimator: Any, smiles: list[str]) -> None:
    frame = pl.DataFrame({"smiles": smiles, "mass": range(len(smiles))})
    chosen = make_column_transformer((estimator, "smiles"), remainder="passthrough")
    out = chosen.set_output(transform="polars").fit_transform(frame)
    assert isinstance(out, pl.DataFrame)
    assert out.columns[-1] == "remainder__mass"


def test_feature_union_joins_student_and_fingerprint(transformer: Any, smiles: list[str]) -> None:
    union = FeatureUnion([("student", transformer), ("keys", MaccsTeacher())])
    values = union.fit_transform(smiles)
    names = union.get_feature_names_out()
    assert values.shape == (len(smiles), 32 + 167)
    assert names[0] == "student__molkdtransformer0"
    assert names[-1] == "keys__maccs_166"
    assert_array_equal(values[:, 32:], MaccsTeacher().transform(smiles))


def test_union_in_processes_equals_union(transformer: Any, smiles: list[str]) -> None:
    alone = make_union(transformer, MorganTeacher(width=16)).fit_transform(smiles)
    both = make_union(transformer, MorganTeacher(width=16), n_jobs=2).fit_transform(smiles)
    assert_allclose(both, alone, atol=1e-5)


@pytest.mark.parametrize(
    "column",
    [
        lambda items, index: pd.Series(items, index=index),
        lambda items, index: pd.DataFrame({"smiles": items}, index=index),
    ],
    ids=["Series", "frame"],
)
def test_pandas_output_keeps_the_index(column: Any, estimator: Any, smiles: list[str]) -> None:
    index = pd.Index([f"mol-{i}" for i in range(len(smiles))])
    estimator.set_output(transform="pandas")
    for method in (estimator.transform, estimator.fit_transform):
        frame = method(column(smiles, index))
        assert list(frame.index) == list(index)
        assert list(frame.columns) == list(estimator.get_feature_names_out())
        assert frame.dtypes.unique().tolist() == [np.dtype(np.float32)]


def test_polars_output(estimator: Any, smiles: list[str]) -> None:
    plain = estimator.transform(smiles)
    frame = estimator.set_output(transform="polars").transform(pl.Series(smiles))
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == list(estimator.get_feature_names_out())
    assert_array_equal(frame.to_numpy(), plain)


def test_global_output_setting(estimator: Any, smiles: list[str]) -> None:
    with config_context(transform_output="pandas"):
        assert isinstance(estimator.transform(smiles), pd.DataFrame)
    assert isinstance(estimator.transform(smiles), np.ndarray)


def test_metadata_routing_finds_nothing_to_route(
    estimator: Any, smiles: list[str], y: list[float]
) -> None:
    with config_context(enable_metadata_routing=True):
        assert estimator.get_metadata_routing()._serialize() == {}
        make_pipeline(estimator, Ridge()).fit(smiles, y)


def test_bad_rows_in_a_pipeline_are_named(estimator: Any, y: list[float]) -> None:
    with pytest.raises(ItemError, match="row 1: empty SMILES"):
        make_pipeline(estimator, Ridge()).fit(["C", "", "CC"], y[:3])


def test_counts_as_fitted(estimator: Any) -> None:
    check_is_fitted(estimator)
    with pytest.raises(NotFittedError, match="not fitted"):
        check_is_fitted(Ridge())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", None),
        ("model", 3),
        ("batch_size", 0),
        ("batch_size", 2.5),
        ("device", None),
        ("n_jobs", "all"),
        ("on_invalid", "ignore"),
        ("dtype", "float64"),
        ("dtype", np.int8),
    ],
)
def test_wrong_parameters_are_refused_before_use(
    name: str, value: object, transformer: Any
) -> None:
    transformer.set_params(**{name: value})
    for method in (transformer.fit, transformer.transform, transformer.embed, transformer):
        with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of MolKDTran"):
            method(["C"])
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
        _ = transformer.card


def test_unknown_parameters_are_refused(estimator: Any) -> None:
    with pytest.raises(ValueError, match="Invalid parameter 'lenght'"):
        estimator.set_params(lenght=3)
