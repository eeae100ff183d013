"""Folds keep scaffolds together; the estimator is chosen on scaffolds it has not seen."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes.forest import Forest
from molkd.prediction import learners
from molkd.prediction.labels import Kind

SCAFFOLDS = np.repeat(np.arange(20), 4)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 12)).astype(np.float32)
Y: dict[Kind, np.ndarray] = {"regression": X[:, 0] * 100.0, "classification": (X[:, 0] > 0) * 1.0}


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_folds_by_scaffold_keep_scaffolds_together(kind: Kind) -> None:
    found = learners.folds(Y[kind], SCAFFOLDS, kind=kind, count=5, seed=0)
    assert set(found) == set(range(5))
    assert all(len(set(found[one == SCAFFOLDS])) == 1 for one in range(20))
    other = learners.folds(Y[kind], SCAFFOLDS, kind=kind, count=5, seed=1)
    assert (found != other).any()


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_folds_at_random_do_not(kind: Kind) -> None:
    found = learners.folds(Y[kind], None, kind=kind, count=5, seed=0)
    assert any(len(set(found[one == SCAFFOLDS])) > 1 for one in range(20))


@pytest.mark.parametrize("model", ["embedding", "forest"])
@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_both_models_learn_what_can_be_learnt(
    monkeypatch: pytest.MonkeyPatch, model: learners.ModelOf, kind: Kind
) -> None:
    monkeypatch.setattr(learners, "Forest", lambda: Forest(trees=50))
    fitted = learners.fit(model, X[:60], Y[kind][:60], SCAFFOLDS[:60], kind=kind, seed=0)
    predicted = learners.predict(fitted, X[60:])
    assert np.corrcoef(predicted, Y[kind][60:])[0, 1] > 0.5
    assert learners.predict(fitted, X[:0]).shape == (0,)


@pytest.mark.parametrize("model", ["embedding", "tanimoto"])
@pytest.mark.parametrize("kind", ["regression", "classification"])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_fewer_scaffolds_or_members_than_folds_are_enough(
    model: learners.ModelOf, kind: Kind, groups: int
) -> None:
    scaffolds = np.minimum(np.arange(40), groups - 1)  # nearly all have the last one
    y = np.where(np.arange(40) < 3, 1.0, 0.0) if kind == "classification" else X[:40, 0]
    x = np.abs(np.rint(3 * X[:40]))
    fitted = learners.fit(model, x, y, scaffolds, kind=kind, seed=0)
    assert np.isfinite(learners.predict(fitted, x)).all()


def test_a_candidate_that_some_fold_cannot_fit_is_not_chosen(
    recwarn: pytest.WarningsRecorder,
) -> None:
    scaffolds = np.maximum(np.arange(38) - 23, 0)  # without the first there are 14, and 5 of them
    y = X[:38, 0] * 100.0
    fitted = learners.fit("embedding", X[:38], y, scaffolds, kind="regression", seed=0)
    assert learners.described(fitted).startswith("Ridge (alpha ")
    assert not recwarn.list


def test_a_kernel_with_more_landmarks_than_a_fold_has_rows_says_nothing(
    recwarn: pytest.WarningsRecorder,
) -> None:
    scaffolds = np.maximum(np.arange(60) - 44, 0)  # without the first there are 15 rows of 60
    y = (X[:60, 0] > 0) * 1.0
    learners.fit("embedding", X[:60], y, scaffolds, kind="classification", seed=0)
    assert not recwarn.list


@pytest.mark.parametrize("model", ["embedding", "tanimoto"])
def test_labels_far_from_zero_are_learnt_alike(model: learners.ModelOf) -> None:
    x = np.abs(np.rint(3 * X))
    y = np.minimum(x[:, 0], x[:, 1]).astype(np.float64)
    one, other = (
        learners.predict(learners.fit(model, x, y + off, SCAFFOLDS, kind="regression", seed=0), x)
        for off in (0.0, 1e7)
    )
    np.testing.assert_allclose(other - 1e7, one, atol=1e-3)


def test_a_linear_label_is_left_to_a_linear_model() -> None:
    fitted = learners.fit("embedding", X, Y["regression"], SCAFFOLDS, kind="regression", seed=0)
    assert learners.described(fitted).startswith("Ridge (alpha ")


def test_a_label_of_any_unit_is_learnt_alike() -> None:
    y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2
    one, other = (
        learners.fit("embedding", X, unit * y, SCAFFOLDS, kind="regression", seed=0)
        for unit in (1.0, 1e4)
    )
    assert learners.described(one) == learners.described(other)
    np.testing.assert_allclose(
        learners.predict(other, X), 1e4 * learners.predict(one, X), rtol=1e-3
    )
