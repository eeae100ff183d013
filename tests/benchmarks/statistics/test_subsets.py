"""Subsets of test rows: what the rest has follows from all rows and those of the subset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from molkd.benchmarks.records import Results, Score
from molkd.benchmarks.statistics.subsets import subsets
from molkd.benchmarks.tasks.metrics import METRICS
from tests.fakes import scored

Y = np.random.default_rng(0).normal(size=100)
CLIFFS = np.arange(100) < 40


def predicted(score: Score) -> np.ndarray:
    """Worse for "b", and on cliffs."""
    noise = np.random.default_rng(score.seed + len(score.task)).normal(size=100)
    return Y + (0.2 if score.embedder == "a" else 0.5) * noise * (1 + CLIFFS)


def measured(metric: str) -> scored.Value:
    def value(score: Score) -> dict[str, float]:
        guess, function = predicted(score), METRICS[metric].function
        within = {f"{metric}[cliffs]": function(Y[CLIFFS], guess[CLIFFS])}
        return {metric: function(Y, guess), "Spearman": 0.5, **within}

    return value


def results(metric: str = "RMSE") -> Results:
    tasks = [scored.task(name, metric=metric) for name in ("t", "uu")]
    scores = [
        scored.score(task, who, "linear", seed, measured(metric))
        for task in tasks
        for who in "ab"
        for seed in range(2)
    ]
    return scored.results(tasks, list("ab"), scores)


@pytest.mark.parametrize("metric", ["RMSE", "MAE"])
def test_the_rest_is_what_the_metric_says_of_the_other_rows(metric: str) -> None:
    given = results(metric)
    (found,) = subsets(given)
    assert (found.metric, found.subset, found.probe, found.split) == (
        metric, "cliffs", "linear", "given",
    )  # fmt: skip
    assert (found.tasks, found.embedders) == (("t", "uu"), ("a", "b"))
    expected = [
        [
            np.mean([
                METRICS[metric].function(Y[~CLIFFS], predicted(score)[~CLIFFS])
                for score in given.scores
                if (score.task, score.embedder) == (task, who)
            ])
            for who in "ab"
        ]
        for task in found.tasks
    ]  # fmt: skip
    np.testing.assert_allclose(found.rest, expected)
    assert (found.within > found.rest).all()


def test_without_numbers_of_rows_the_rest_is_not_known() -> None:
    given = results()
    older = [replace(s, rows={"train": 1, "valid": 1, "test": 100}) for s in given.scores]
    (found,) = subsets(replace(given, scores=tuple(older)))
    assert found.rest is None
    np.testing.assert_array_equal(found.within, subsets(given)[0].within)


def test_of_a_metric_that_is_no_mean_over_rows_the_rest_is_not_known() -> None:
    (found,) = subsets(results("Spearman"))
    assert found.rest is None


def test_errors_are_turned_so_that_more_is_better() -> None:
    (found,) = subsets(results())
    np.testing.assert_array_equal(found.table.means, (-found.within).round(12))
    assert (found.table.means[:, 0] > found.table.means[:, 1]).all()


def test_a_task_that_one_embedder_lacks_counts_for_none() -> None:
    given = results()
    holed = tuple(s for s in given.scores if (s.task, s.embedder, s.seed) != ("uu", "b", 1))
    (found,) = subsets(replace(given, scores=holed))
    assert found.tasks == ("t",)


def test_tasks_without_subsets_have_none() -> None:
    given = results()
    plain = tuple(replace(s, test={"RMSE": 1.0, "Spearman": 0.5}) for s in given.scores)
    assert subsets(replace(given, scores=plain)) == []
