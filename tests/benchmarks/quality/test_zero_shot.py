"""What embeddings say with nothing trained, against scikit-learn, SciPy and closed forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import norm, spearmanr
from sklearn.metrics import v_measure_score

from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.quality.scoring import Answer, answers, describe, probes_for
from molkd.benchmarks.quality.zero_shot import MEASURES
from molkd.benchmarks.tasks.kinds import KINDS, Kind
from molkd.benchmarks.tasks.task import TaskSplit
from molkd.types import digest_of

ROWS = 400
SPLIT = TaskSplit(np.arange(200), np.arange(200, 220), np.arange(220, ROWS))
DIRECT = [kind for kind, about in KINDS.items() if about.measure]


def _data(kind: Kind, *, distance: float = 6.0, d: int = 5) -> tuple[tuple[np.ndarray, ...], Any]:
    """Classes around the corners of a simplex; in pairs, sides that share as much as they score."""
    random = np.random.default_rng(0)
    y = random.integers(d, size=ROWS).astype(np.float64)
    x = random.normal(size=(ROWS, d)) + np.eye(d)[y.astype(int)] * distance / np.sqrt(2)
    sides = (x.astype(np.float32),)
    if kind == "similarity":
        y = random.uniform(-1, 1, size=ROWS)
        other = y[:, None] * x + np.sqrt(1 - y[:, None] ** 2) * random.normal(size=x.shape)
        sides = (x.astype(np.float32), other.astype(np.float32))
    return sides, ProbeTask(
        y=y, split=SPLIT, kind=kind, scale="linear", seed=0, subsets={}, digest="data"
    )


def _one(
    sides: tuple[np.ndarray, ...], probe_task: ProbeTask, components: int | None = None
) -> Answer:
    names = probes_for(probe_task.kind, ["linear", "knn"])
    ((name, found),) = answers(sides, probe_task, names, components=components)
    assert name == KINDS[probe_task.kind].measure
    return found


def test_probes_answer_where_something_is_trained_and_nowhere_else() -> None:
    for kind, about in KINDS.items():
        assert probes_for(kind, ["linear", "knn"]) == (
            (about.measure,) if about.measure else ("linear", "knn")
        )
    assert {about.measure for about in KINDS.values() if about.measure} == set(MEASURES)
    assert set(DIRECT) == {"clustering", "retrieval", "similarity"}


@pytest.mark.parametrize("kind", DIRECT)
def test_test_labels_decide_nothing_but_the_score(kind: Kind) -> None:
    """Permuted, they leave predictions as they are; of clusters their number alone counts."""
    sides, probe_task = _data(kind)
    y = probe_task.y.copy()
    y[SPLIT.test] = np.random.default_rng(1).permutation(y[SPLIT.test])
    before, after = _one(sides, probe_task), _one(sides, replace(probe_task, y=y))
    np.testing.assert_array_equal(before.predicted, after.predicted)
    assert before.test != after.test
    assert before.valid == {}


@pytest.mark.parametrize("kind", DIRECT)
def test_parts_that_are_not_asked_for_decide_nothing(kind: Kind) -> None:
    sides, probe_task = _data(kind)
    unread = np.concatenate([
        getattr(SPLIT, part) for part in ("train", "valid", "test") if part not in KINDS[kind].least
    ])  # fmt: skip
    others = tuple(side.copy() for side in sides)
    y = probe_task.y.copy()
    for side in others:
        side[unread] = 1e9
    y[unread] = np.nan
    assert _one(sides, probe_task).test == _one(others, replace(probe_task, y=y)).test


def test_components_are_fitted_on_training_rows_where_there_are_any() -> None:
    sides, probe_task = _data("similarity", d=8)
    few = 6
    others = tuple(side.copy() for side in sides)
    for side in others:
        side[SPLIT.test[few:]] *= 1 + 40 * np.arange(8, dtype=np.float32)
    before, after = (_one(each, probe_task, components=2).predicted for each in (sides, others))
    np.testing.assert_array_equal(before[:few], after[:few])
    assert not np.allclose(before[few:], after[few:])
    trained = tuple(side.copy() for side in sides)
    for side in trained:
        side[SPLIT.train] *= 1 + 40 * np.arange(8, dtype=np.float32)
    assert not np.allclose(_one(trained, probe_task, components=2).predicted, before)
    alone = replace(probe_task, split=replace(SPLIT, train=np.array([], dtype=np.int64)))
    assert _one(sides, alone, components=2).test["Spearman"] > 0.1


def test_cosines_are_those_of_scipy() -> None:
    sides, probe_task = _data("similarity")
    found = _one(sides, probe_task)
    first, second = (side[SPLIT.test].astype(np.float64) for side in sides)
    expected = 1 - np.diag(cdist(first, second, "cosine"))
    np.testing.assert_allclose(found.predicted, expected, atol=1e-9)
    assert found.test == {
        "Spearman": pytest.approx(spearmanr(probe_task.y[SPLIT.test], expected)[0])
    }
    scaled = tuple(side * factor for side, factor in zip(sides, (1e30, 1e-30), strict=True))
    np.testing.assert_allclose(_one(scaled, probe_task).predicted, expected, atol=1e-6)
    sides[0][SPLIT.test[0]] = 0
    assert _one(sides, probe_task).predicted[0] == 0


def test_the_nearest_neighbour_is_that_of_scipy() -> None:
    sides, probe_task = _data("retrieval", distance=2.0)
    found = _one(sides, probe_task)
    x = sides[0].astype(np.float64)
    nearest = cdist(x[SPLIT.test], x[SPLIT.train], "cosine").argmin(axis=1)
    np.testing.assert_array_equal(found.predicted, probe_task.y[SPLIT.train][nearest])
    blocks = MEASURES["nearest"](block=7).predict(sides, probe_task)
    np.testing.assert_array_equal(blocks, found.predicted)
    assert found.test["Accuracy"] == np.mean(found.predicted == probe_task.y[SPLIT.test])


def test_neighbours_on_a_circle_come_within_the_known_accuracy() -> None:
    """Two classes around opposite directions: with many rows near, 1-NN errs 2p(1-p) on average."""
    random = np.random.default_rng(0)
    n, sd = 40_000, 1.0
    y = random.integers(2, size=n).astype(np.float64)
    angle = y * np.pi + random.normal(size=n) * sd
    x = np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    split = TaskSplit(np.arange(30_000), np.array([], dtype=np.int64), np.arange(30_000, n))
    probe_task = replace(_data("retrieval")[1], y=y, split=split)
    grid = np.linspace(-np.pi, np.pi, 20_001)
    near, far = (
        sum(norm.pdf(grid + 2 * np.pi * turn + middle, scale=sd) for turn in (-2, -1, 0, 1, 2))
        for middle in (0.0, np.pi)
    )
    p, density = near / (near + far), (near + far) / 2
    error = np.trapezoid(2 * p * (1 - p) * density, grid)
    assert _one((x,), probe_task).test["Accuracy"] == pytest.approx(1 - error, abs=0.01)


def test_clusters_far_apart_are_found_and_noise_has_none() -> None:
    sides, probe_task = _data("clustering", distance=20.0)
    assert _one(sides, probe_task).test == {"V-measure": pytest.approx(1.0)}
    noise = (np.random.default_rng(3).normal(size=sides[0].shape).astype(np.float32),)
    found = _one(noise, probe_task)
    assert found.test["V-measure"] < 0.15
    assert len(np.unique(found.predicted)) == 5
    assert found.test["V-measure"] == pytest.approx(
        v_measure_score(probe_task.y[SPLIT.test], found.predicted)
    )


def test_the_seed_decides_the_clusters_and_nothing_else_random_does() -> None:
    sides, probe_task = _data("clustering", distance=1.0)
    same = [_one(sides, probe_task).predicted for _ in range(2)]
    np.testing.assert_array_equal(*same)
    other = _one(sides, replace(probe_task, seed=1)).predicted
    assert v_measure_score(same[0], other) < 1
    collapsed = (np.ones_like(sides[0]),)
    assert _one(collapsed, probe_task).test["V-measure"] == 0


def test_a_description_holds_all_that_decides_the_numbers() -> None:
    assert describe("linear")["name"] == "linear"
    digests = {digest_of(describe(name)) for name in (*MEASURES, "linear")}
    assert len(digests) == len(MEASURES) + 1
    assert describe("kmeans")["starts"] == 5
