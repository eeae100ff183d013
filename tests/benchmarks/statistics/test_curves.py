"""Learning curves: which tasks count where, means over draws, and the floor."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from molkd.benchmarks.records import Results, Score
from molkd.benchmarks.statistics.curves import curves
from tests.fakes import scored

SKILL = {"a": 0.3, "b": 0.1}


def value(score: Score) -> dict[str, float]:
    """Grows with the labels, differs between embedders, varies between draws."""
    if score.probe == "mean":
        return {"Spearman": 0.0, "MAE": 1.0}
    grown = 0.1 * math.log10(score.labelled or 1e4)
    return {"Spearman": SKILL[score.embedder] + grown + 0.01 * (score.seed - 1), "MAE": 1.0}


def results(sizes: Mapping[str, tuple[int, ...]], probes: tuple[str, ...] = ("linear",)) -> Results:
    """Three draws; task -> numbers of labelled rows that it has."""
    tasks = [scored.task(name) for name in sizes]
    scores = [
        scored.score(task, who, probe, draw, value, labelled=count)
        for task in tasks
        for count in (*sizes[task.name], None)
        for who in SKILL
        for probe in (*probes, "mean")
        for draw in range(3)
    ]
    return scored.results(tasks, list(SKILL), scores)


def test_draws_are_averaged_and_full_scores_are_no_part() -> None:
    (curve,) = curves(results({"t": (10, 100), "u": (10, 100)}))
    assert (curve.group, curve.split, curve.probe, curve.draws) == ("g", "given", "linear", 3)
    assert curve.labelled == (10, 100)
    assert curve.tasks == ("t", "u")
    assert curve.others == ()
    np.testing.assert_allclose(curve.means, [[0.4, 0.5], [0.2, 0.3]])
    np.testing.assert_array_equal(curve.floor, np.zeros((2, 2)))


def test_all_points_of_a_curve_are_of_the_same_tasks() -> None:
    large = (10, 100, 1000)
    short, whole = curves(results({"t": large, "small": (10, 100), "u": large}))
    assert (short.labelled, short.tasks, short.others) == ((10, 100), ("t", "small", "u"), ())
    assert (whole.labelled, whole.tasks, whole.others) == (large, ("t", "u"), ("small",))


def test_a_task_that_one_embedder_lacks_counts_for_none() -> None:
    found = results({"t": (10, 100), "u": (10, 100)})
    holed = [
        s for s in found.scores if (s.task, s.embedder, s.labelled, s.seed) != ("u", "b", 100, 2)
    ]
    short, whole = curves(scored.results(found.tasks, list(SKILL), holed))
    assert (short.labelled, short.tasks) == ((10,), ("t", "u"))
    assert (whole.labelled, whole.tasks, whole.others) == ((10, 100), ("t",), ("u",))


def test_every_probe_has_its_own_curve_and_the_floor_none() -> None:
    found = curves(results({"t": (10, 100)}, probes=("linear", "knn")))
    assert [curve.probe for curve in found] == ["linear", "knn"]


def test_differences_are_paired_over_tasks() -> None:
    (curve,) = curves(results(dict.fromkeys("tuvw", (10, 100))))
    apart, ends = curve.less(curve.values[:, 1])
    np.testing.assert_allclose(apart, [[0.2, 0.2], [0.0, 0.0]], atol=1e-12)
    assert ends is not None
    np.testing.assert_allclose(ends, [apart, apart], atol=1e-12)  # tasks do not differ


def test_one_task_has_no_intervals() -> None:
    (curve,) = curves(results({"t": (10,)}))
    assert curve.less(curve.values[:, 0])[1] is None


def test_without_learning_curves_there_are_none() -> None:
    assert curves(results({"t": ()})) == []


@pytest.mark.parametrize("missing", ["t", "u"])
def test_a_floor_with_a_hole_is_none(missing: str) -> None:
    found = results({"t": (10, 100), "u": (10, 100)})
    kept = [s for s in found.scores if (s.probe, s.task) != ("mean", missing)]
    (curve,) = curves(scored.results(found.tasks, list(SKILL), kept))
    assert curve.floor is None
