"""Few labelled rows: nested, with both classes, none of them for test, all of them used."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molkd.benchmarks.probes import PROBES
from molkd.benchmarks.quality import learning_curves
from molkd.benchmarks.quality.evaluation import QualitySettings
from molkd.benchmarks.quality.learning_curves import LearningCurve
from molkd.benchmarks.quality.planning import plan_all
from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.errors import ConfigError
from tests.fakes import letters

CURVE = LearningCurve(labelled=(30, 10, 60), draws=range(3))
SETTINGS = QualitySettings(seeds=1, labelled=(10, 40), draws=2)


def planned(task: Any, **more: Any) -> list[ProbeTask]:
    """The probe tasks of a learning curve."""
    everything = np.ones(len(task.items), dtype=np.bool_)
    (plan,) = plan_all(
        [task], lambda _: everything, methods=(), seeds=range(2), excluded={}, jobs=1, curve=CURVE,
        **more,
    )  # fmt: skip
    return [one for each in plan.probe_tasks.values() for one in each if one.labelled is not None]


@pytest.mark.parametrize("seed", range(20))
def test_smaller_parts_are_beginnings_of_larger_ones(seed: int) -> None:
    y, pool = np.arange(200.0), np.arange(0, 200, 2)
    curve = LearningCurve(labelled=(10, 30, 100, 300), draws=[seed])
    parts = [rows for _, _, rows in curve.rows(y, pool, "regression")]
    assert [len(rows) for rows in parts] == [10, 30, 100]  # 300 there are not
    for less, more in itertools.pairwise(parts):
        np.testing.assert_array_equal(less, more[: len(less)])
    np.testing.assert_array_equal(np.sort(parts[-1]), pool)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rare", [0.0, 1.0])
def test_each_of_two_classes_is_in_the_smallest_part_twice(rare: float, seed: int) -> None:
    y = np.full(300, 1 - rare)
    y[[7, 90, 91, 200]] = rare
    order = learning_curves.shuffled(y, np.arange(300), "classification", 10, seed=seed)
    assert sorted(order) == list(range(300))
    assert (y[order[:10]] == rare).sum() >= 2
    plain = np.random.default_rng(seed).permutation(300)
    assert (order != plain).sum() <= 4  # two places changed with two others


def test_a_row_that_leaves_the_pool_moves_no_other() -> None:
    y = np.tile([0.0, 1.0], 100)
    whole = learning_curves.shuffled(y, np.arange(200), "classification", 10, seed=3)
    less = learning_curves.shuffled(
        y, np.setdiff1d(np.arange(200), whole[50:60]), "classification", 10, seed=3
    )
    np.testing.assert_array_equal(less, np.delete(whole, range(50, 60)))


def test_every_labelled_row_chooses_once() -> None:
    y = np.array([1.0, 1.0, *np.zeros(11)])
    found = learning_curves.folds(y, np.arange(13), "classification")
    assert sorted(np.concatenate(found)) == list(range(13))
    assert sorted(map(len, found)) == [2, 2, 3, 3, 3]
    assert sum(y[fold].sum() > 0 for fold in found) == 2  # both are never in the same part


def test_parts_without_which_nothing_can_be_fitted_are_left_out() -> None:
    y = np.zeros(10)
    y[4] = 1.0
    found = learning_curves.folds(y, np.arange(10), "regression")
    assert len(found) == 4
    assert 4 not in np.concatenate(found)
    assert learning_curves.folds(np.ones(10), np.arange(10), "regression") == ()
    assert learning_curves.folds(np.arange(10.0), np.arange(10), "multiclass") == ()


def test_the_test_rows_are_those_of_the_first_seed_and_never_labelled() -> None:
    task = letters.task()
    everything = np.ones(len(task.items), dtype=np.bool_)
    (plain,) = plan_all(
        [task], lambda _: everything, methods=(), seeds=range(2), excluded={}, jobs=1
    )
    first = plain.probe_tasks["y"][0].split
    found = planned(task)
    assert [(one.labelled, one.seed) for one in found] == [
        (count, draw) for count in (10, 30, 60) for draw in range(3)
    ]
    for one in found:
        np.testing.assert_array_equal(one.split.test, first.test)
        assert not set(one.split.train) & set(first.test)
        assert not len(one.split.valid)
    assert len({one.digest for one in found}) == 9


def test_the_whole_is_asked_as_before(tmp_path: Path) -> None:
    plain = letters.run(tmp_path / "plain", settings=QualitySettings(seeds=1))
    with_curve = letters.run(tmp_path / "curve", settings=SETTINGS)
    assert {score.key for score in plain.scores} == {score.key for score in with_curve.full}
    assert [score.test for score in plain.scores] == [score.test for score in with_curve.full]


def test_a_curve_rises_and_its_floor_is_chance(tmp_path: Path) -> None:
    found = letters.run(tmp_path, settings=replace(SETTINGS, labelled=(10, 80), draws=4))

    def mean(count: int, probe: str = "linear", task: str = "polar") -> float:
        scores = letters.scores(found, labelled=count, probe=probe, task=task, embedder="exact")
        assert sorted(score.seed for score in scores) == [0, 1, 2, 3]
        assert {(s.rows["train"], s.rows["valid"]) for s in scores} == {(count, 0)}
        metric = "AUROC" if task == "polar" else "Spearman"
        return float(np.mean([score.test[metric] for score in scores]))

    assert 0.6 < mean(10) < mean(80)
    assert mean(10, task="length") > 0.6
    assert mean(10, "mean") == mean(80, "mean") == 0.5
    assert mean(10, "mean", "length") == 0.0


@pytest.mark.parametrize("probe", [name for name in PROBES if name not in {"forest", "tanimoto"}])
def test_every_probe_answers_with_ten_labels(probe: str, tmp_path: Path) -> None:
    tasks = [letters.task(), letters.lengths(), letters.tails(), *letters.direct()]
    settings = QualitySettings(seeds=1, probes=(probe,), labelled=(10,), draws=1)
    made = [letters.embedder("exact", letters.Letters(), components=3)]
    found = letters.run(tmp_path, tasks, made, settings)
    curve = [score for score in found.scores if score.labelled == 10]
    assert {score.task for score in curve} == {"polar", "length", "tails"}
    assert {score.probe for score in curve} == {probe, "mean"}
    assert all(np.isfinite(list(score.test.values())).all() for score in curve)


def test_what_is_too_small_is_left_out_with_a_note(tmp_path: Path) -> None:
    rare = np.zeros((len(letters.SMILES), 1))
    rare[:8] = 1
    settings = replace(SETTINGS, labelled=(10, 1000))
    found = letters.run(tmp_path, [letters.task(labels=rare)], settings=settings)
    assert {score.labelled for score in found.scores} == {None, 10}
    (note,) = found.tasks[0].notes
    assert "y: no learning curve with 1,000 labelled rows: there are 96" in note


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labelled": (30, 9)}, "9 labelled rows are too few: give at least 10"),
        ({"labelled": (30,), "draws": 0}, "draws must be at least 1"),
    ],
)
def test_curves_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        QualitySettings(**options)
