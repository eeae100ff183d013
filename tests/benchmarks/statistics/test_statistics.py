"""Means, ranks, differences and their intervals over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.records import EmbedderRecord, Results, Run, Score, TaskRecord
from molkd.benchmarks.statistics import ScoreTable
from molkd.errors import InputError, ShapeError, UnknownNameError


def table(values: Sequence[Sequence[float]] | np.ndarray) -> ScoreTable:
    """A table of tasks t0, t1, ... and embedders a, b, ... with one seed, or as shaped."""
    array = np.asarray(values, dtype=np.float64)
    array = array[:, :, None] if array.ndim == 2 else array
    tasks = tuple(f"t{place}" for place in range(array.shape[0]))
    return ScoreTable(tasks, tuple("abcdefghij"[: array.shape[1]]), array)


def task(name: str, *, labels: tuple[str, ...] = ("y",), **changed: str) -> TaskRecord:
    about = {"group": "g", "split": "given", "comparable": "AUROC", **changed}
    return TaskRecord(
        name=name,
        kind="classification",
        metric="AUPRC",
        labels=labels,
        items=9,
        compared=9,
        digest="d",
        **about,
    )


def embedder(label: str) -> EmbedderRecord:
    return EmbedderRecord(
        label=label, spec=label, role="baseline", digest=label, dim=4, parameters=0, failed=0
    )


def score(task: str, embedder: str, seed: int, value: float, **changed: str) -> Score:
    about = {"label": "y", "probe": "linear", "metric": "AUROC", **changed}
    return Score(
        task=task,
        label=about["label"],
        embedder=embedder,
        probe=about["probe"],
        seed=seed,
        test={about["metric"]: value, "AUPRC": 0.9},
        valid={},
        chosen={},
        rows={},
        key="",
    )


def results(
    tasks: Sequence[TaskRecord], embedders: Sequence[str], scores: Sequence[Score]
) -> Results:
    return Results(
        Run(settings={}, versions={}), tuple(tasks), tuple(map(embedder, embedders)), tuple(scores)
    )


def test_means_sds_and_ranks() -> None:
    values = np.array([[[0.9, 0.7], [0.5, 0.5]], [[0.2, 0.4], [0.3, 0.3]]])
    found = statistics.compare(table(values), "a")
    assert found.means == pytest.approx({"a": 0.55, "b": 0.4})
    assert found.sds == pytest.approx({"a": 0.0, "b": 0.0})  # .55 and .55, .4 and .4
    assert found.ranks == {"a": 1.25, "b": 1.75}  # the second task is a tie of the means


def test_sds_are_over_seeds_of_the_mean_over_tasks() -> None:
    values = np.array([[[0.1, 0.3, 0.5]], [[0.3, 0.5, 0.7]]])
    found = statistics.compare(table(values), "a").sds["a"]
    assert found == pytest.approx(np.std([0.2, 0.4, 0.6], ddof=1))


def test_one_seed_has_no_sd() -> None:
    assert statistics.compare(table([[0.1, 0.2]]), "a").sds == {"a": None, "b": None}


def test_scores_that_only_rounding_tells_apart_are_tied() -> None:
    found = statistics.compare(table([[0.1 + 0.2, 0.3], [1.0, 0.5]]), "a")
    assert found.ranks == {"a": 1.25, "b": 1.75}
    assert (found.against["b"].wins, found.against["b"].ties) == (1, 1)


def test_differences_of_the_same_size_are_tied() -> None:
    found = statistics.differences(table([[0.3, 0.2], [0.2, 0.1], [0.8, 0.7]]), "a")["b"]
    assert found.tolist() == [0.1, 0.1, 0.1]


def test_against_pairs_over_tasks() -> None:
    own = np.random.default_rng(0).uniform(size=22)
    other = own - np.linspace(0.01, 0.05, 22)
    found = statistics.compare(table(np.column_stack([own, other, own])), "a").against
    assert list(found) == ["b", "c"]
    worse, same = found["b"], found["c"]
    assert (worse.wins, worse.ties, worse.losses) == (22, 0, 0)
    assert worse.mean_difference == pytest.approx(0.03)
    assert worse.p == pytest.approx(2 / 2**22)  # all signs alike
    assert worse.p_holm == pytest.approx(4 / 2**22)
    assert worse.low is not None
    assert worse.high is not None
    assert 0.01 < worse.low < 0.03 < worse.high < 0.05
    assert (same.wins, same.ties, same.losses) == (0, 22, 0)
    assert (same.p, same.p_holm, same.low, same.high) == (1.0, 1.0, 0.0, 0.0)


def test_the_view_from_the_other_side_is_the_mirror_image() -> None:
    scores = np.random.default_rng(1).normal(size=(12, 2))
    there = statistics.compare(table(scores), "a").against["b"]
    back = statistics.compare(table(scores), "b").against["a"]
    assert (there.wins, there.losses, there.p) == (back.losses, back.wins, back.p)
    assert there.mean_difference == -back.mean_difference
    assert (there.low, there.high) == pytest.approx((-(back.high or 0), -(back.low or 0)))


def test_everything_is_defined_with_one_task() -> None:
    found = statistics.compare(table([[0.1, 0.2, 0.3]]), "a")
    assert (found.friedman_chi2, found.friedman_p) == (None, None)
    assert found.ranks == {"a": 3.0, "b": 2.0, "c": 1.0}
    assert found.against["b"].p_holm == 1.0
    assert (found.against["b"].low, found.against["b"].high) == (None, None)


def test_everything_is_defined_with_two_embedders() -> None:
    found = statistics.compare(table(np.random.default_rng(0).normal(size=(9, 2))), "a")
    assert (found.friedman_p, found.critical_difference) == (None, None)
    assert 0 < found.against["b"].p <= 1


def test_everything_is_defined_with_one_embedder() -> None:
    found = statistics.compare(table([[0.1], [0.2]]), "a")
    assert (found.ranks, found.against) == ({"a": 1.0}, {})


def test_everything_is_defined_where_all_are_equal() -> None:
    found = statistics.compare(table(np.full((6, 4, 3), 0.7)), "a")
    assert (found.friedman_chi2, found.friedman_p) == (0.0, 1.0)
    assert set(found.ranks.values()) == {2.5}
    assert {against.p_holm for against in found.against.values()} == {1.0}


def test_an_unknown_reference_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'a'"):
        statistics.compare(table([[1.0, 2.0]]), "aa")


def test_a_table_with_a_hole_is_refused() -> None:
    with pytest.raises(InputError, match="b has no finite score on t1"):
        table([[1.0, 2.0], [1.0, float("nan")]])


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 2, seeds\)"):
        ScoreTable(("t",), ("a", "b"), np.zeros((2, 1, 1)))
    with pytest.raises(ShapeError, match="none of them 0"):
        ScoreTable(("t",), ("a",), np.zeros((1, 1, 0)))


def test_a_name_that_occurs_twice_is_refused() -> None:
    with pytest.raises(InputError, match="a occurs twice"):
        ScoreTable(("t",), ("a", "a"), np.zeros((1, 2, 1)))


def test_cliques_are_maximal_and_ordered() -> None:
    ranks = {"d": 4.5, "a": 1.0, "c": 3.0, "b": 2.0, "e": 7.0}
    assert statistics.cliques(ranks, 2.5) == [("a", "b", "c"), ("c", "d")]


def test_cliques_of_demsars_example() -> None:
    ranks = {"C4.5": 3.143, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    # At the level .10, section 3.2.2: C4.5 is worse than the two best, and it cannot be told which
    # of both groups C4.5+cf belongs to.
    assert statistics.cliques(ranks, 1.12) == [
        ("C4.5+m+cf", "C4.5+m", "C4.5+cf"),
        ("C4.5+cf", "C4.5"),
    ]


def test_cliques_leave_singles_out() -> None:
    assert statistics.cliques({"a": 1.0, "b": 3.0}, 2.0) == []  # at least as far: they differ
    assert statistics.cliques({"a": 1.0, "b": 3.0}, 2.1) == [("a", "b")]
    assert statistics.cliques({}, 1.0) == []


def grid(tasks: Sequence[str], embedders: Sequence[str], seeds: int, **changed: str) -> list[Score]:
    """Scores of all cells, each with another value."""
    return [
        score(name, who, seed, 100 * row + 10 * column + seed, **changed)
        for row, name in enumerate(tasks)
        for column, who in enumerate(embedders)
        for seed in range(seeds)
    ]


def test_tables_put_values_where_they_belong() -> None:
    cells = grid(["x", "y"], ["a", "b"], 3)
    (found,) = statistics.tables(results([task("x"), task("y")], ["a", "b"], cells[::-1]))
    assert (found.group, found.probe, found.split) == ("g", "linear", "given")
    assert (found.table.tasks, found.table.embedders) == (("x", "y"), ("a", "b"))
    assert found.table.values[1, 0].tolist() == [100, 101, 102]
    assert found.table.values[0, 1].tolist() == [10, 11, 12]
    assert (found.metrics, found.left_out) == (("AUROC", "AUROC"), ())


def test_tables_hold_the_comparable_metric_not_the_official_one() -> None:
    records = [task("x"), task("z", comparable="Spearman")]
    cells = [score("x", "a", 0, 0.6), score("z", "a", 0, 0.4, metric="Spearman")]
    (found,) = statistics.tables(results(records, ["a"], cells))
    assert found.table.values.ravel().tolist() == [0.6, 0.4]
    assert found.metrics == ("AUROC", "Spearman")


def test_tables_separate_groups_splits_and_probes() -> None:
    records = [task("x"), task("y", group="h"), task("z", split="random")]
    cells = [
        score(name, "a", 0, 0.5, probe=probe)
        for name in ("x", "y", "z")
        for probe in ("linear", "mlp")
    ]
    found = statistics.tables(results(records, ["a"], cells))
    assert [(s.group, s.split, s.probe, s.table.tasks) for s in found] == [
        ("g", "given", "linear", ("x",)),
        ("g", "given", "mlp", ("x",)),
        ("h", "given", "linear", ("y",)),
        ("h", "given", "mlp", ("y",)),
        ("g", "random", "linear", ("z",)),
        ("g", "random", "mlp", ("z",)),
    ]


def test_tables_average_the_labels_of_a_task() -> None:
    cells = [score("x", "a", 0, 0.2, label="l1"), score("x", "a", 0, 0.6, label="l2")]
    (found,) = statistics.tables(results([task("x", labels=("l1", "l2"))], ["a"], cells))
    assert found.table.values.item() == pytest.approx(0.4)


def test_a_label_that_one_embedder_lacks_counts_for_none() -> None:
    cells = [
        score("x", "a", 0, 0.2, label="l1"),
        score("x", "b", 0, 0.3, label="l1"),
        score("x", "a", 0, 0.9, label="l2"),
    ]
    (found,) = statistics.tables(results([task("x", labels=("l1", "l2"))], ["a", "b"], cells))
    assert found.table.values.ravel().tolist() == [0.2, 0.3]


def test_a_task_with_a_hole_is_left_out_for_all_and_named() -> None:
    cells = grid(["x", "y"], ["a", "b"], 2)[:-1]
    (found,) = statistics.tables(results([task("x"), task("y")], ["a", "b"], cells))
    assert (found.table.tasks, found.left_out) == (("x",), ("y",))


def test_a_task_that_was_left_out_by_the_evaluation_is_named() -> None:
    records = [task("empty", labels=()), task("x")]
    (found,) = statistics.tables(results(records, ["a"], grid(["x"], ["a"], 1)))
    assert (found.table.tasks, found.left_out) == (("x",), ("empty",))


def test_an_embedder_without_scores_does_not_occur() -> None:
    (found,) = statistics.tables(results([task("x")], ["a", "b"], grid(["x"], ["a"], 1)))
    assert found.table.embedders == ("a",)


def test_there_is_no_table_without_scores() -> None:
    assert statistics.tables(results([task("x")], ["a"], [])) == []


def test_tasks_in_which_nothing_is_trained_have_a_section_of_their_own() -> None:
    """And none of the other section: no probe was asked for them."""
    kinds = {"many": ("multiclass", "Accuracy"), "groups": ("clustering", "V-measure")}
    asked = [
        replace(task(name), kind=kind, comparable=metric) for name, (kind, metric) in kinds.items()
    ]
    probes = {"many": ["linear", "knn"], "groups": ["kmeans"]}
    scores = [
        score(name, who, 0, 0.5, probe=probe, metric=kinds[name][1])
        for name, names in probes.items()
        for probe in names
        for who in "ab"
    ]
    found = statistics.tables(results(asked, "ab", scores))
    told = [(each.probe, each.way, each.table.tasks, each.metrics) for each in found]
    assert told == [
        ("linear", "probe", ("many",), ("Accuracy",)),
        ("knn", "probe", ("many",), ("Accuracy",)),
        ("kmeans", "measure", ("groups",), ("V-measure",)),
    ]
    assert all(each.left_out == () for each in found)
    holes = [each for each in scores if (each.task, each.embedder) != ("groups", "b")]
    holes.append(score("groups", "b", 1, 0.5, probe="kmeans", metric="V-measure"))
    sections = statistics.tables(results(asked, "ab", holes))
    assert [each.probe for each in sections] == ["linear", "knn"]
