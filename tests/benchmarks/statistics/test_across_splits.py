"""Splits side by side: the same tasks and embedders under each."""

from __future__ import annotations

import numpy as np

from molkd.benchmarks import statistics
from molkd.benchmarks.records import Results, Score
from molkd.benchmarks.statistics.across_splits import across_splits
from tests.fakes import scored

SCORES = {
    "given": {"a": 0.7, "b": 0.6, "c": 0.5},
    "cluster": {"a": 0.4, "b": 0.5, "c": 0.3},
}


def value(score: Score) -> dict[str, float]:
    """The same on all tasks but "odd", where everybody gains by the cluster split."""
    gain = 0.4 if (score.task, score.split) == ("odd", "cluster") else 0.0
    return {"Spearman": SCORES[score.split][score.embedder] + gain, "MAE": 1.0}


def results(*, without: tuple[str, str] = ("", "")) -> Results:
    tasks = [scored.task(name, split=split) for split in SCORES for name in ("t", "u", "odd")]
    scores = [
        scored.score(task, who, "linear", seed, value)
        for task in tasks
        if (task.name, task.split) != without
        for who in "abc"
        for seed in range(2)
    ]
    return scored.results(tasks, list("abc"), scores)


def test_scores_of_each_split_stay_its_own() -> None:
    sections = statistics.tables(results())
    assert [section.split for section in sections] == ["given", "cluster"]
    for section in sections:
        means = section.table.means[0]
        np.testing.assert_allclose(means, list(SCORES[section.split].values()))


def test_means_ranks_and_changes() -> None:
    (found,) = across_splits(statistics.tables(results()))
    assert (found.splits, found.tasks) == (("given", "cluster"), ("t", "u", "odd"))
    np.testing.assert_allclose(found.means[:, 0], [0.7, 0.6, 0.5])
    np.testing.assert_allclose(found.ranks, [[1, 2], [2, 1], [3, 3]])
    np.testing.assert_allclose(
        found.changes[:, 1], np.array([-0.9 + 0.4, -0.3 + 0.4, -0.6 + 0.4]) / 3
    )
    assert found.ends is not None
    low, high = found.ends[:, 0, 1]
    assert np.isclose(low, -0.3)
    assert np.isclose(high, 0.1)


def test_a_task_that_a_split_lacks_is_left_out_of_all() -> None:
    (found,) = across_splits(statistics.tables(results(without=("odd", "cluster"))))
    assert found.tasks == ("t", "u")
    np.testing.assert_allclose(found.changes[:, 1], [-0.3, -0.1, -0.2])


def test_one_split_has_nothing_beside_it() -> None:
    tasks = [scored.task("t")]
    scores = [scored.score(tasks[0], who, "linear", 0, value) for who in "abc"]
    assert across_splits(statistics.tables(scored.results(tasks, list("abc"), scores))) == []
