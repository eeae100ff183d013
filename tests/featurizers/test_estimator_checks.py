"""scikit-learn's own checks, by name, and their versions for SMILES where its data cannot serve."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils import estimator_checks, get_tags

# `check_estimator` alone runs one of these for estimators of text. The last three ask little of
# such estimators; what they are meant to show is in test_sklearn_use.py.
CHECKS = [
    "parameters_default_constructible",
    "get_params_invariance",
    "set_params",
    "no_attributes_set_in_init",
    "estimator_cloneable",
    "estimator_repr",
    "mixin_order",
    "valid_tag_types",
    "estimator_tags_renamed",
    "do_not_raise_errors_in_init_or_set_params",
    "param_validation",
    "estimator_sparse_tag",
    "transformer_get_feature_names_out",
    "set_output_transform",
    "estimators_unfitted",
]


@pytest.mark.parametrize("name", CHECKS)
def test_scikit_learns_check_passes(name: str, estimator: Any) -> None:
    getattr(estimator_checks, f"check_{name}")(type(estimator).__name__, estimator)


def test_tags_say_what_it_takes(estimator: Any) -> None:
    tags = get_tags(estimator)
    inputs = tags.input_tags
    assert (inputs.string, inputs.one_d_array) == (True, True)
    assert (inputs.two_d_array, inputs.sparse, inputs.allow_nan) == (False, False, False)
    assert (tags.requires_fit, tags.no_validation, tags.estimator_type) == (False, True, None)
    assert tags.transformer_tags.preserves_dtype == []


def test_subset_invariance(estimator: Any, smiles: list[str]) -> None:
    whole = estimator.transform(smiles)
    single = np.concatenate([estimator.transform([one]) for one in smiles])
    assert_allclose(single, whole, atol=1e-5)


def test_order_invariance(estimator: Any, smiles: list[str]) -> None:
    order = np.random.default_rng(0).permutation(len(smiles))
    shuffled = estimator.transform([smiles[i] for i in order])
    assert_allclose(shuffled, estimator.transform(smiles)[order], atol=1e-5)


def test_batch_size_invariance(transformer: Any, smiles: list[str]) -> None:
    small = clone(transformer).set_params(batch_size=3).transform(smiles)
    assert_allclose(small, transformer.transform(smiles), atol=1e-5)


def test_equal_molecules_get_equal_rows(estimator: Any) -> None:
    values = estimator.transform(["CCO", "c1ccccc1", "CCO", "OCC"])
    assert_allclose(values[2:], values[[0, 0]], atol=1e-5)
    assert not np.allclose(values[0], values[1])


def test_no_items_give_no_rows(estimator: Any) -> None:
    empty = estimator.transform([])
    assert empty.shape == (0, len(estimator))
    assert empty.dtype == np.float32


def test_fit_changes_nothing(estimator: Any, smiles: list[str]) -> None:
    before = estimator.transform(smiles)
    fitted = estimator.fit(smiles).fit(smiles[:2], y=[0, 1])
    assert fitted is estimator
    assert_array_equal(estimator.transform(smiles), before)
    assert_array_equal(clone(estimator).fit_transform(smiles), before)


def test_use_leaves_the_estimator_as_it_was(estimator: Any, smiles: list[str]) -> None:
    before = copy.deepcopy(vars(estimator))
    estimator.fit(smiles).transform(smiles)
    assert vars(estimator) == before


def test_input_is_not_written_to(estimator: Any, smiles: list[str]) -> None:
    X = np.array(smiles, dtype=object)
    X.flags.writeable = False
    assert estimator.transform(X).shape == (len(smiles), len(estimator))
    assert X.tolist() == smiles


def test_output_can_be_written_to(estimator: Any, smiles: list[str]) -> None:
    values = estimator.transform(smiles)
    values[:] = 0
    assert estimator.transform(smiles).any()


def test_pickle_before_and_after_use(estimator: Any, smiles: list[str]) -> None:
    fresh = pickle.dumps(estimator)
    expected = estimator.transform(smiles)
    used = pickle.dumps(estimator)
    assert len(used) == len(fresh) < 1000
    for data in (fresh, used):
        copied = pickle.loads(data)  # noqa: S301 - our own bytes
        assert copied.get_params() == estimator.get_params()
        assert_array_equal(copied.transform(smiles), expected)


def test_pickle_keeps_the_output_format(estimator: Any, smiles: list[str]) -> None:
    estimator.set_output(transform="pandas")
    copied = pickle.loads(pickle.dumps(estimator))  # noqa: S301 - our own bytes
    assert list(copied.transform(smiles).columns) == list(estimator.get_feature_names_out())


def test_clone_keeps_every_argument(student_folder: Any) -> None:
    from molkd.featurizers import MolKDTransformer

    arguments = {
        "model": student_folder,
        "batch_size": 7,
        "device": "auto",
        "n_jobs": 2,
        "on_invalid": "null",
        "dtype": "float16",
    }
    copied = clone(MolKDTransformer(**arguments))
    assert copied.get_params() == arguments


def test_threads_share_an_estimator(
    transformer: Any, smiles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from molkd import students
    from molkd.featurizers import transformer as module

    modality: list[str] = []
    load = students.load
    monkeypatch.setattr(students, "load", lambda model: modality.append(model) or load(model))
    module._cached.cache_clear()
    together = threading.Barrier(4)

    def embed(_: int) -> Any:
        together.wait()
        return transformer.transform(smiles)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(embed, range(4)))
    assert len(modality) == 1
    for result in results:
        assert_array_equal(result, results[0])


def test_listing_attributes_reads_no_weights(tmp_path: Any) -> None:
    from molkd.featurizers import MolKDTransformer

    absent = MolKDTransformer(str(tmp_path / "absent"))
    assert "card" in dir(absent)
    assert "absent" in absent._repr_html_()
    assert bool(absent)
