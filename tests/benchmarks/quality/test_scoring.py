"""What decides a score, and what must not: a pipeline that leaks is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from molkd.benchmarks.probes.inputs import Scaler
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.quality import scoring
from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.quality.scoring import Answer, answer, scaled
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import TaskSplit
from molkd.types import Matrix

ROWS = 120
SPLIT = TaskSplit(np.arange(70), np.arange(70, 90), np.arange(90, ROWS))
FEW = 6
"""Test rows to which it must not matter what the others hold."""


def _data(kind: Kind) -> tuple[Matrix, ProbeTask]:
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, 4)).astype(np.float32)
    signal = x[:, 0] + 0.3 * random.normal(size=ROWS)
    y = signal if kind == "regression" else (signal > 0).astype(float)
    if kind == "multiclass":
        y = np.digitize(signal, [-0.5, 0.5]).astype(float)
    probe_task = ProbeTask(
        y=y, split=SPLIT, kind=kind, scale="linear", seed=0, subsets={}, digest="data"
    )
    return x, probe_task


def _run(x: Matrix, probe_task: ProbeTask, *, components: int | None = None) -> Answer:
    inputs = scaled(x, probe_task.split, components=components)
    return answer(inputs, probe_task, Linear())


def leaks(x: Matrix, probe_task: ProbeTask, *, components: int | None = None) -> bool:
    """Whether rows of the test part decide more than their own predictions.

    Predictions for a few test rows must stay the same, to the bit, whatever the embeddings and
    labels of the other test rows are; and what is chosen must not depend on any of them.
    """
    before = _run(x, probe_task, components=components)
    others = SPLIT.test[FEW:]
    x, y = x.copy(), probe_task.y.copy()
    x[others] = 50 + 90 * x[others]
    y[others] = probe_task.y.max() - y[others]
    after = _run(x, replace(probe_task, y=y), components=components)
    same = np.array_equal(before.predicted[:FEW], after.predicted[:FEW])
    return not (same and before.valid == after.valid and before.chosen == after.chosen)


@pytest.mark.parametrize("kind", ["classification", "multiclass", "regression"])
@pytest.mark.parametrize("components", [None, 2])
def test_test_rows_decide_nothing_but_their_scores(kind: Kind, components: int | None) -> None:
    assert not leaks(*_data(kind), components=components)


def _scaler_on_all(x: Matrix, split: TaskSplit, *, components: int | None) -> scoring.Inputs:
    everything = np.concatenate([split.train, split.valid, split.test])
    scaler = Scaler.fit(x[everything], components=components)
    return scoring.Inputs(*(scaler.transform(x[r]) for r in (split.train, split.valid, split.test)))


def _test_rows_in_training(
    honest: Callable[..., Answer],
) -> Callable[[scoring.Inputs, ProbeTask, Linear], Answer]:
    def leaking(inputs: scoring.Inputs, probe_task: ProbeTask, probe: Linear) -> Answer:
        split = probe_task.split
        both = TaskSplit(np.concatenate([split.train, split.test]), split.valid, split.test)
        x = np.concatenate([inputs.train, inputs.test])
        return honest(replace(inputs, train=x), replace(probe_task, split=both), probe)

    return leaking


@pytest.mark.parametrize("kind", ["classification", "multiclass", "regression"])
def test_a_scaler_fitted_on_all_rows_is_caught(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "scaled", _scaler_on_all)
    assert leaks(*_data(kind))


@pytest.mark.parametrize("kind", ["classification", "multiclass", "regression"])
def test_test_rows_in_training_are_caught(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "answer", _test_rows_in_training(answer))
    assert leaks(*_data(kind))


def test_predictions_come_back_in_the_unit_of_the_labels() -> None:
    x, probe_task = _data("regression")
    plain = _run(x, probe_task)
    scaled_up = _run(x, replace(probe_task, y=probe_task.y * 1000 + 5000))
    assert scaled_up.test["MAE"] == pytest.approx(plain.test["MAE"] * 1000, rel=1e-6)
    assert scaled_up.test["R2"] == pytest.approx(plain.test["R2"], rel=1e-6)


def test_labels_over_decades_are_fitted_as_logarithms() -> None:
    x, probe_task = _data("regression")
    decades = replace(probe_task, y=10 ** (3 * probe_task.y))
    linear = _run(x, decades)
    logarithmic = _run(x, replace(decades, scale="log10"))
    assert logarithmic.test["Spearman"] > linear.test["Spearman"]


def test_of_many_classes_the_most_probable_is_predicted() -> None:
    x, probe_task = _data("multiclass")
    found = _run(x, probe_task)
    assert set(found.predicted) == {0.0, 1.0, 2.0}
    right = found.predicted == probe_task.y[SPLIT.test]
    assert found.test["Accuracy"] == right.mean() > 0.6
    assert set(found.test) == set(found.valid) == {"Accuracy", "Macro-F1"}
    rare = np.where(probe_task.y == 2, 9.0, probe_task.y)  # classes need not follow each other
    assert _run(x, replace(probe_task, y=rare)).test == found.test


def test_a_subset_of_the_test_rows_is_scored_on_its_own() -> None:
    x, probe_task = _data("regression")
    cliffs = np.zeros(ROWS, dtype=np.bool_)
    cliffs[[0, 95, 96, 97]] = True  # row 0 is a training row and does not count
    found = _run(
        x, replace(probe_task, subsets={"cliffs": cliffs, "none": np.zeros(ROWS, np.bool_)})
    )
    alone = replace(probe_task, split=replace(SPLIT, test=np.array([95, 96, 97])))
    assert found.test["RMSE[cliffs]"] == _run(x, alone).test["RMSE"]
    assert not any(name.endswith("[none]") for name in found.test)


def _committee(x: Matrix, probe_task: ProbeTask) -> Answer:
    ((_, found),) = scoring.answers((x,), probe_task, ["linear"], components=None)
    return found


def _few(kind: Kind) -> tuple[Matrix, ProbeTask]:
    """Twenty labelled rows, in two folds."""
    x, probe_task = _data(kind)
    rows = np.arange(20)
    split = TaskSplit(rows, rows[:0], SPLIT.test)
    return x, replace(probe_task, split=split, folds=(rows[:10], rows[10:]))


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_committee_is_the_mean_of_probes_chosen_by_each_fold(kind: Kind) -> None:
    x, probe_task = _few(kind)
    first, second = probe_task.folds
    members = [
        _run(x, probe_task.at(TaskSplit(*parts, SPLIT.test)))
        for parts in ((second, first), (first, second))
    ]
    expected = np.mean([member.predicted for member in members], axis=0)
    found = _committee(x, probe_task)
    np.testing.assert_allclose(found.predicted, expected)
    assert not found.valid
    assert not found.chosen
    if kind == "regression":
        decades = replace(probe_task, y=10**probe_task.y, scale="log10")
        np.testing.assert_allclose(np.log10(_committee(x, decades).predicted), expected)


def test_members_may_know_different_classes() -> None:
    x, probe_task = _few("multiclass")
    y = probe_task.y.copy()
    y[np.flatnonzero(y[:10] == 2)] = 1  # one fold alone holds the last class
    found = _committee(x, replace(probe_task, y=y))
    assert set(found.predicted) <= {0.0, 1.0, 2.0}


@pytest.mark.parametrize("kind", ["classification", "multiclass", "regression"])
def test_a_committee_reads_labelled_rows_alone(kind: Kind) -> None:
    x, probe_task = _few(kind)
    before = _committee(x, probe_task)
    others = np.setdiff1d(np.arange(ROWS), [*range(20), *SPLIT.test[:FEW]])
    x, y = x.copy(), probe_task.y.copy()
    x[others] = 50 + 90 * x[others]
    y[others] = y.max() - y[others]
    after = _committee(x, replace(probe_task, y=y))
    np.testing.assert_array_equal(before.predicted[:FEW], after.predicted[:FEW])
