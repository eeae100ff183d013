"""A model on disk, without pickle: skops' archive of the estimator, and what belongs to it.

An archive is only loaded if it holds nothing but what scikit-learn's estimators are made of, and
trees whose branches stay within them; and if it predicts what it did when it was written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from molkd.errors import ConfigError, CorruptFileError, MissingExtraError, OutputError
from molkd.prediction import learners
from molkd.prediction.difficulty import Difficulty, Known
from molkd.prediction.facts import Facts
from molkd.prediction.predictor import Predictor
from molkd.prediction.reliability import ExpectedErrors
from molkd.prediction.spaces import CountSpace, Space
from molkd.prediction.validation import HeldOut
from molkd.runtime import files, versions
from molkd.runtime.arrays import read_arrays

ESTIMATOR, ARRAYS, COMPOUNDS, INDEX = "model.skops", "held_out.npz", "compounds.json", "model.json"

FORMAT = 1

_OWN = tuple(
    f"molkd.prediction.tanimoto.{name}" for name in ("TanimotoRidge", "TanimotoClassifier")
)
"""Estimators of ours, which hold arrays alone."""

_TREE = "sklearn.tree._tree.Tree"
"""Not trusted by skops, for a tree whose branches point out of it would read memory it must not."""

_PACKAGES = ("scikit-learn", "numpy", "rdkit")


def save(predictor: Predictor, folder: str | Path) -> Path:
    """Writes a model into a new folder; the index, written last, holds the checksums.

    Raises:
        MissingExtraError: skops is not installed.
        OutputError: the folder holds something else already, or cannot be written.
    """
    from zipfile import ZIP_DEFLATED

    folder = check_folder(folder)
    with files.atomic_path(folder / ESTIMATOR) as temporary:
        _skops().dump(predictor.estimator, temporary, compression=ZIP_DEFLATED, compresslevel=3)
    check = learners.predict(predictor.estimator, predictor.example)
    with files.atomic_path(folder / ARRAYS) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(
            stream,
            y=predictor.y,
            values=predictor.held_out.values,
            folds=predictor.held_out.folds,
            example=predictor.example,
            check=check,
            **_arrays(predictor.expected),
        )
    files.write_json(folder / COMPOUNDS, list(predictor.smiles))
    parts = (ESTIMATOR, ARRAYS, COMPOUNDS)
    index = {
        "format": FORMAT,
        **asdict(predictor.facts),
        "versions": versions.installed(_PACKAGES),
        "sha256": {name: files.sha256_of(folder / name) for name in parts},
    }
    files.write_json(folder / INDEX, index)
    return folder


def check_folder(folder: str | Path) -> Path:
    """Refuses a folder that is used, and a machine without skops; see `save`."""
    _skops()
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is there already: give the model another folder")
    return folder


def load(folder: str | Path) -> Predictor:
    """Reads a model that `save` wrote.

    Raises:
        ConfigError: it needs a newer molkd, or another scikit-learn.
        CorruptFileError: a file is missing, cut, or not the one that was written; or the archive
            holds something that no such model is made of.
        MissingExtraError: skops is not installed.
    """
    folder = Path(folder)
    if not (folder / INDEX).is_file():
        raise CorruptFileError(f"{folder} holds no model: give the folder of molkd predict --save")
    index = files.read_json(folder / INDEX)
    if index.get("format") != FORMAT:
        raise ConfigError(
            f"{folder} holds a model of another molkd: install that one, or fit it anew"
        )
    for name, checksum in _listed(index, folder):
        if not (folder / name).is_file() or files.sha256_of(folder / name) != checksum:
            raise CorruptFileError(
                f"{folder / name} is missing, cut or not the file that {INDEX} describes: copy the "
                "folder again"
            )
    try:
        predictor, check = _loaded(folder, index)
        found = learners.predict(predictor.estimator, predictor.example)
        same = len(check) > 0 and np.allclose(found, check, rtol=1e-6)
    except (ConfigError, CorruptFileError, MissingExtraError):
        raise
    except Exception as error:  # an archive of another scikit-learn may fail in any way
        raise _other(folder, index, f"{type(error).__name__}: {error}") from error
    if not same:
        raise _other(folder, index, "it does not predict what it did when it was written")
    return predictor


def _listed(index: dict[str, Any], folder: Path) -> Iterator[tuple[str, object]]:
    checksums = index.get("sha256")
    if not isinstance(checksums, dict):
        raise CorruptFileError(f"{folder / INDEX} lists no checksums: copy the folder again")
    for name in (ESTIMATOR, ARRAYS, COMPOUNDS):
        yield name, checksums.get(name)


def _loaded(folder: Path, index: dict[str, Any]) -> tuple[Predictor, Any]:
    arrays = read_arrays(folder / ARRAYS)
    smiles = json.loads((folder / COMPOUNDS).read_text(encoding="utf-8"))
    _check(arrays, smiles, folder)
    fields: dict[str, Any] = {"standardize": "none"}  # where another molkd has written none
    fields |= {name: index[name] for name in Facts.__dataclass_fields__ if name in index}
    fields["classes"] = tuple(map(str, index["classes"]))
    facts = Facts(**fields)
    predictor = Predictor(
        facts=facts,
        estimator=_estimator(folder / ESTIMATOR, arrays["example"].shape[1]),
        smiles=[str(text) for text in smiles],
        y=arrays["y"],
        held_out=HeldOut(arrays["values"], arrays["folds"]),
        example=arrays["example"],
        expected=_expected(arrays),
    )
    return predictor, arrays["check"]


def _check(arrays: Mapping[str, Any], smiles: list[Any], folder: Path) -> None:
    """Refuses numbers that do not belong together, before a library is predicted with them."""
    y, values, folds = (arrays[name] for name in ("y", "values", "folds"))
    shapes = [y.shape == (len(smiles),), values.shape == folds.shape == (len(values), len(y))]
    kinds = [folds.dtype.kind in "iu", not folds.size or folds.min() >= 0]
    if "weights" in arrays:
        judged = (len(values), int(folds.max()) + 1, len(y))
        shapes += [arrays["difficulties"].shape == values.shape]
        shapes += [arrays["judging"].shape == judged, len(arrays["places"]) == len(y)]
        shapes += [arrays["errors"].shape == y.shape]
    finite = (np.isfinite(array).all() for array in arrays.values())
    if not (all(shapes) and all(kinds) and all(finite)):
        raise CorruptFileError(
            f"{folder / ARRAYS} holds arrays that do not belong together: copy the folder again"
        )


def _arrays(expected: ExpectedErrors | None) -> dict[str, Any]:
    """What is kept of expected errors, by name."""
    if expected is None:
        return {}
    found = expected.difficulty
    own = {"standards": found.standards, "weights": found.weights}
    judged = {"difficulties": expected.held_out, "judging": expected.judging}
    return {**expected.space._asdict(), **found.known._asdict(), **own, **judged}


def _expected(arrays: Mapping[str, Any]) -> ExpectedErrors | None:
    """What `_arrays` gave; None of classes, and of what was written before there was any."""
    if "weights" not in arrays:
        return None
    kind = CountSpace if "counted" in arrays else Space
    space = kind(*(arrays[name] for name in kind._fields))
    known = Known(*(arrays[name] for name in Known._fields))
    difficulty = Difficulty(space.nearest, known, arrays["standards"], arrays["weights"])
    found = ExpectedErrors(space, difficulty, arrays["difficulties"], arrays["judging"])
    found.of(arrays["example"], arrays["check"])  # fails here where shapes do not fit
    return found


def _estimator(path: Path, columns: int) -> Any:
    """Loads what is safe to be loaded."""
    io = _skops()
    untrusted = set(io.get_untrusted_types(file=path))
    if strange := sorted(untrusted - {_TREE, *_OWN}):
        raise CorruptFileError(f"{path} holds {', '.join(strange)}, which no model here is made of")
    estimator = io.load(path, trusted=[_TREE, *_OWN])
    if _TREE in untrusted:
        for tree in _trees(estimator, path):
            check_tree(tree, columns, path)
    return estimator


def _trees(estimator: Any, path: Path) -> list[Any]:
    """Returns those of a forest; nothing else here has any."""
    from sklearn import ensemble, tree

    forests = (ensemble.RandomForestRegressor, ensemble.RandomForestClassifier)
    grown = (tree.DecisionTreeRegressor, tree.DecisionTreeClassifier)
    if type(estimator) in forests and all(type(one) in grown for one in estimator.estimators_):
        return [one.tree_ for one in estimator.estimators_]
    raise CorruptFileError(f"{path} holds trees that are not of a forest, as no model here does")


def check_tree(tree: Any, columns: int, path: Path) -> None:
    """Refuses a tree whose branches do not all lead on to nodes of its own, or that reads more.

    Args:
        tree: one of a forest.
        columns: how many there are to be read.
        path: of the archive.
    """
    left, right = tree.children_left, tree.children_right
    inner = left >= 0
    places = np.arange(len(left))[inner]
    forward = (left[inner] > places) & (right[inner] > places)
    within = (left < len(left)) & (right < len(left)) & (inner == (right >= 0))
    read = (tree.feature[inner] >= 0) & (tree.feature[inner] < columns)
    same = tree.n_features == columns and len(left) == len(tree.value)
    if not (forward.all() and within.all() and read.all() and same):
        raise CorruptFileError(f"{path} holds a tree whose branches lead nowhere: copy it again")


def _other(folder: Path, index: dict[str, Any], why: str) -> ConfigError:
    differing = versions.differences(index.get("versions"))
    return ConfigError(
        f"{folder} cannot be used here ({why}){differing and f'; versions differ: {differing}'}: "
        "install what it was fitted with, or fit it again"
    )


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtraError(
            "a model is kept by skops, which is not installed: pip install 'molkd[workbench]'"
        ) from error
    return skops.io
