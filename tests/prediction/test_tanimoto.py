"""Estimators on the Tanimoto kernel are those of scikit-learn on the kernel itself."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import KernelCenterer

from molkd.benchmarks.probes.tanimoto import Counts
from molkd.errors import InputError
from molkd.prediction import learners
from molkd.prediction.labels import Kind
from molkd.prediction.tanimoto import TanimotoClassifier, TanimotoRidge

RNG = np.random.default_rng(0)
X = RNG.poisson(0.5, size=(240, 30)).astype(np.float32)
Y = np.minimum(X[:, 0], X[:, 1]) - X[:, 2] + 0.1 * RNG.normal(size=240)
TRAIN, TEST = slice(160), slice(160, 240)
LABELS: dict[Kind, np.ndarray] = {"regression": Y, "classification": (Y > -0.5) * 1.0}
SCAFFOLDS = np.repeat(np.arange(40), 4)


@pytest.mark.parametrize("alpha", [0.1, 3.0])
def test_ridge_is_kernel_ridge_regression(alpha: float) -> None:
    counts, centre = Counts.of(X[TRAIN]), KernelCenterer()
    kernel = centre.fit_transform(counts.similarity(X[TRAIN]))
    options: Any = {"alpha": alpha, "kernel": "precomputed"}
    model = KernelRidge(**options).fit(kernel, Y[TRAIN] - Y[TRAIN].mean())
    expected = model.predict(centre.transform(counts.similarity(X[TEST]).T)) + Y[TRAIN].mean()
    found = TanimotoRidge(alpha).fit(X[TRAIN], Y[TRAIN]).predict(X[TEST])
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_fewer_landmarks_are_nearly_as_good() -> None:
    whole = TanimotoRidge(0.1).fit(X[TRAIN], Y[TRAIN])
    fewer = TanimotoRidge(0.1, landmarks=120).fit(X[TRAIN], Y[TRAIN])
    assert fewer.landmarks_.shape == (120, 30)
    found = [np.corrcoef(each.predict(X[TEST]), Y[TEST])[0, 1] for each in (whole, fewer)]
    assert found[0] > 0.7
    assert abs(found[0] - found[1]) < 0.1


def test_classes_have_probabilities() -> None:
    classes = LABELS["classification"]
    model = TanimotoClassifier(10.0).fit(X[TRAIN], classes[TRAIN])
    found = model.predict_proba(X[TEST])
    assert found.shape == (80, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert roc_auc_score(classes[TEST], found[:, 1]) > 0.8
    assert np.array_equal(model.predict(X[TEST]), (found[:, 1] > 0.5) * 1.0)


def test_another_fit_forgets_the_first_and_a_file_holds_no_more_than_it_must() -> None:
    model = TanimotoRidge().fit(X[TRAIN], Y[TRAIN])
    first = model.predict(X[:5])
    assert set(model.__getstate__()) - {"_sklearn_version"} == {
        *("alpha", "landmarks", "random_state", "landmarks_", "dual_coef_", "intercept_")
    }
    again = pickle.loads(pickle.dumps(model))  # noqa: S301  (of this very test)
    assert np.array_equal(again.predict(X[:5]), first)
    model.fit(X[TEST], Y[TEST])
    assert np.array_equal(model.predict(X[:5]), clone(model).fit(X[TEST], Y[TEST]).predict(X[:5]))


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_penalty_is_chosen_by_scaffold(kind: Kind) -> None:
    y = LABELS[kind]
    one, noise = (
        learners.fit("tanimoto", X[TRAIN], labels, SCAFFOLDS, kind=kind, seed=0)
        for labels in (y[TRAIN], RNG.permutation(y[TRAIN]))
    )
    name = "alpha" if kind == "regression" else "C"
    chosen, of_noise = (each.get_params()[name] for each in (one, noise))
    assert (chosen < of_noise) if kind == "regression" else (chosen > of_noise)
    assert learners.described(one).startswith(f"{type(one).__name__} ({name} ")
    found = learners.predict(one, X[TEST])
    assert np.corrcoef(found, Y[TEST])[0, 1] > 0.6
    assert learners.predict(one, X[:0]).shape == (0,)


def test_what_is_no_count_is_refused() -> None:
    wrong = X[:10].copy()
    wrong[4, 3] = 0.5
    with pytest.raises(InputError, match=r"column 3 .* 0\.5"):
        TanimotoRidge().fit(wrong, Y[:10])
