"""A model on disk predicts what it did; nothing unsafe is loaded."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from molkd import prediction
from molkd.errors import ConfigError, CorruptFileError, MissingExtraError, OutputError
from molkd.prediction import learners, saved
from molkd.prediction.trial import Trial
from molkd.runtime.files import sha256_of

Trials = dict[tuple[str, str], Trial]


@pytest.fixture
def folder(trials: Trials, tmp_path: Path) -> Path:
    return prediction.save(trials["regression", "forest"].predictor, tmp_path / "model")


def _sealed(folder: Path) -> None:
    """Writes the checksums of what lies there now."""
    index = json.loads((folder / saved.INDEX).read_text())
    index["sha256"] = {name: sha256_of(folder / name) for name in index["sha256"]}
    (folder / saved.INDEX).write_text(json.dumps(index))


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_a_model_that_was_read_predicts_the_same_bits(
    trials: Trials, tmp_path: Path, kind: str, model: str
) -> None:
    made = trials[kind, model].predictor
    read = prediction.load(prediction.save(made, tmp_path / "model"))
    assert read.facts == made.facts
    assert list(read.smiles) == list(made.smiles)
    assert read.held(0.8) == made.held(0.8)
    assert read.excess == made.excess
    molecules = ["CCCCO", "c1ccccc1CC", "C"]
    if model != "embedding":
        ours, theirs = (each.predict(molecules) for each in (made, read))
        assert ours.table.equals(theirs.table)
    x = np.random.default_rng(0).poisson(1, (50, made.example.shape[1])).astype(np.float32)
    assert np.array_equal(*(learners.predict(each.estimator, x) for each in (made, read)))


def test_a_model_replaces_nothing(trials: Trials, folder: Path) -> None:
    with pytest.raises(OutputError, match="is there already"):
        prediction.save(trials["regression", "forest"].predictor, folder)


@pytest.mark.parametrize("name", [saved.ESTIMATOR, saved.ARRAYS, saved.COMPOUNDS])
def test_a_file_that_is_not_the_one_that_was_written_is_named(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(CorruptFileError, match=f"{name} is missing, cut or not the file"):
        prediction.load(folder)
    (folder / name).unlink()
    with pytest.raises(CorruptFileError, match=f"{name} is missing, cut or not the file"):
        prediction.load(folder)


def test_what_no_model_is_made_of_is_not_loaded(folder: Path) -> None:
    skops.io.dump([print, shutil.rmtree], folder / saved.ESTIMATOR)
    _sealed(folder)
    with pytest.raises(CorruptFileError, match=r"holds .*shutil.rmtree.*no model here is made of"):
        prediction.load(folder)


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ({}, "right"),
        ({"children_left": [9, -1, -1]}, "wrong"),
        ({"children_right": [0, -1, -1]}, "wrong"),
        ({"children_right": [-1, -1, -1]}, "wrong"),
        ({"feature": [4, -2, -2]}, "wrong"),
        ({"value": [0.0, 0.0]}, "wrong"),
        ({"n_features": 5}, "wrong"),
    ],
)
def test_a_tree_is_looked_at_before_it_is_used(changed: dict[str, Any], to: str) -> None:
    nodes = {
        "children_left": [1, -1, -1],
        "children_right": [2, -1, -1],
        "feature": [3, -2, -2],
        "value": [0.0, 1.0, 2.0],
        "n_features": 4,
    }
    arrays = {name: np.array(values) for name, values in {**nodes, **changed}.items()}
    tree = SimpleNamespace(**arrays)  # a description: no tree that could be asked
    if to == "right":
        saved.check_tree(tree, 4, Path("model"))
    else:
        with pytest.raises(CorruptFileError, match="branches lead nowhere"):
            saved.check_tree(tree, 4, Path("model"))


@pytest.mark.parametrize("kind", ["a pipeline", "a forest of forests", "a narrower forest"])
def test_trees_are_those_of_a_forest_on_as_many_columns(folder: Path, kind: str) -> None:
    """Sound ones, which could be asked; those that are not are looked at nowhere else."""
    with np.load(folder / saved.ARRAYS) as archive:
        x = archive["example"]
    y = np.arange(len(x), dtype=float)
    forest = RandomForestRegressor(2)
    if kind == "a pipeline":
        model = make_pipeline(StandardScaler(), DecisionTreeRegressor()).fit(x, y)
    elif kind == "a forest of forests":
        model = forest.fit(x, y)
        model.estimators_[0] = RandomForestRegressor(2).fit(x, y)
    else:
        model = forest.fit(x[:, :-1], y)
    skops.io.dump(model, folder / saved.ESTIMATOR)
    _sealed(folder)
    with pytest.raises(CorruptFileError, match=r"not of a forest|branches lead nowhere"):
        prediction.load(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dual_coef_", np.ones(3)),
        ("landmarks_", -np.ones((60, 2048), np.float32)),
        ("landmarks_", np.ones((60, 5), np.float32)),
        ("landmarks_", "no counts"),
        ("intercept_", None),
    ],
)
def test_a_damaged_tanimoto_model_is_refused(
    trials: Trials, tmp_path: Path, name: str, value: object
) -> None:
    folder = prediction.save(trials["regression", "tanimoto"].predictor, tmp_path / "model")
    model = prediction.load(folder).estimator
    setattr(model, name, value)
    model.__dict__.pop("_counts", None)
    skops.io.dump(model, folder / saved.ESTIMATOR)
    _sealed(folder)
    with pytest.raises(ConfigError, match=r"cannot be used here \("):
        prediction.load(folder)


def test_a_model_that_predicts_otherwise_is_refused(folder: Path) -> None:
    with np.load(folder / saved.ARRAYS) as archive:
        arrays = dict(archive)
    np.savez(folder / saved.ARRAYS, **{**arrays, "check": arrays["check"] + 1})
    _sealed(folder)
    with pytest.raises(ConfigError, match="does not predict what it did"):
        prediction.load(folder)


def test_a_model_that_was_written_before_has_no_reliability(folder: Path) -> None:
    before = ("y", "values", "folds", "example", "check")
    with np.load(folder / saved.ARRAYS) as archive:
        arrays = {name: archive[name] for name in before}
    np.savez(folder / saved.ARRAYS, **arrays)
    _sealed(folder)
    read = prediction.load(folder)
    assert read.expected is None
    found = read.predict(["CCO"])
    assert found.table["reliability"].to_pylist() == [None]
    assert "fit it again" in found.describe()
    assert 0 < read.held(0.8) <= 1


@pytest.mark.parametrize(
    ("model", "name"),
    [("forest", "weights"), ("forest", "places"), ("embedding", "places"), ("embedding", "axes")],
)
def test_expected_errors_that_do_not_fit_are_refused(
    trials: Trials, tmp_path: Path, model: str, name: str
) -> None:
    folder = prediction.save(trials["regression", model].predictor, tmp_path / "model")
    with np.load(folder / saved.ARRAYS) as archive:
        arrays = dict(archive)
    np.savez(folder / saved.ARRAYS, **{**arrays, name: arrays[name][..., :-1]})
    _sealed(folder)
    with pytest.raises(ConfigError, match="cannot be used here"):
        prediction.load(folder)


@pytest.mark.parametrize("model", ["embedding", "tanimoto"])
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("difficulties", lambda array: array[:, :-1]),
        ("judging", lambda array: array[:, :-1]),
        ("errors", lambda array: array * np.nan),
        ("places", lambda array: array[:3]),
        ("folds", lambda array: array * 1.0),
        ("values", lambda array: array[:, :-1]),
        ("y", lambda array: array.astype(str)),
    ],
)
def test_numbers_that_do_not_belong_together_are_refused(
    trials: Trials, tmp_path: Path, model: str, name: str, change: Any
) -> None:
    folder = prediction.save(trials["regression", model].predictor, tmp_path / "model")
    with np.load(folder / saved.ARRAYS) as archive:
        arrays = dict(archive)
    np.savez(folder / saved.ARRAYS, **{**arrays, name: change(arrays[name])})
    _sealed(folder)
    with pytest.raises((ConfigError, CorruptFileError), match=r"do not belong|cannot be used"):
        prediction.load(folder)


def test_an_older_scikit_learn_is_named(folder: Path) -> None:
    index = json.loads((folder / saved.INDEX).read_text())
    index["versions"]["scikit-learn"] = "0.1"
    (folder / saved.INDEX).write_text(json.dumps(index))
    (folder / saved.ESTIMATOR).write_bytes(b"no archive")
    _sealed(folder)
    with pytest.raises(ConfigError, match=r"scikit-learn 0.1 there"):
        prediction.load(folder)


def test_a_folder_of_something_else_and_of_another_molkd(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="holds no model"):
        prediction.load(tmp_path)
    index = json.loads((folder / saved.INDEX).read_text())
    (folder / saved.INDEX).write_text(json.dumps({**index, "format": 99}))
    with pytest.raises(ConfigError, match="another molkd"):
        prediction.load(folder)


def test_a_missing_skops_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'molkd\[workbench\]'"):
        saved.check_folder(tmp_path / "model")
