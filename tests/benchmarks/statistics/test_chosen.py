"""The probe chosen on validation rows: by those alone, of the same candidates for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from molkd.benchmarks import reports, statistics
from molkd.benchmarks.records import Results, Score, reported
from molkd.benchmarks.statistics.chosen import candidates, with_chosen
from tests.fakes import scored

TASKS = [scored.task(name) for name in ("one", "two")]
VALID = {"linear": 0.3, "knn": 0.5, "boosting": 0.4, "forest": 0.9, "mean": 1.0}
TEST = {"linear": 0.7, "knn": 0.1, "boosting": 0.6, "forest": 0.2, "mean": 0.9}


def scores(probe: str, embedders: Iterable[str], seeds: int = 2) -> list[Score]:
    return [
        replace(
            scored.score(task, who, probe, seed, lambda _: {"Spearman": TEST[probe], "MAE": 1.0}),
            valid={"Spearman": VALID[probe], "MAE": 1.0},
        )
        for task in TASKS
        for who in embedders
        for seed in range(seeds)
    ]


def results(*parts: list[Score]) -> Results:
    return scored.results(TASKS, ["a", "b", "c"], [score for part in parts for score in part])


def chosen(given: Results) -> dict[str, list[Score]]:
    """Name -> added scores."""
    found: dict[str, list[Score]] = {}
    for score in with_chosen(given).scores:
        if score.probe.startswith("chosen"):
            found.setdefault(score.probe, []).append(score)
    return found


def test_the_best_on_validation_rows_is_taken_whatever_its_test_score() -> None:
    given = results(scores("linear", "abc"), scores("knn", "abc"), scores("mean", "abc"))
    ((name, found),) = chosen(given).items()
    assert name == "chosen (linear, knn)"
    assert candidates(name) == ("linear", "knn")
    assert candidates("linear") == ("linear",)
    assert {score.test["Spearman"] for score in found} == {TEST["knn"]}
    assert len(found) == 2 * 3 * 2


def test_each_cell_chooses_for_itself() -> None:
    given = results(scores("linear", "abc"), scores("knn", "abc"))
    lucky = {("two", "b", 1)}
    changed = tuple(
        replace(s, valid={"Spearman": 0.8})
        if s.probe == "linear" and (s.task, s.embedder, s.seed) in lucky
        else s
        for s in given.scores
    )
    ((_, found),) = chosen(replace(given, scores=changed)).items()
    linear = {(s.task, s.embedder, s.seed) for s in found if s.test["Spearman"] == TEST["linear"]}
    assert linear == lucky


def test_a_tie_goes_to_the_first_of_the_probes_in_whatever_order_scores_stand() -> None:
    given = results(scores("knn", "abc"), scores("linear", "abc"))
    tied = tuple(replace(score, valid={"Spearman": 0.5}) for score in given.scores)
    for order in (tied, tied[::-1]):
        ((_, found),) = chosen(replace(given, scores=order)).items()
        assert {score.test["Spearman"] for score in found} == {TEST["linear"]}


def test_a_probe_that_asked_fewer_is_a_candidate_for_these_alone() -> None:
    given = results(*(scores(p, "abc") for p in ("linear", "knn")), scores("forest", "ac"))
    found = chosen(given)
    assert {name: {s.embedder for s in part} for name, part in found.items()} == {
        "chosen (linear, knn)": set("abc"),
        "chosen (linear, knn, forest)": set("ac"),
    }
    shapes = {s.probe: s.table.values.shape for s in statistics.tables(with_chosen(given))}
    assert shapes["chosen (linear, knn)"] == (2, 3, 2)
    assert shapes["chosen (linear, knn, forest)"] == (2, 2, 2)


def test_a_probe_of_fewer_seeds_is_a_candidate_for_these_alone() -> None:
    given = results(*(scores(p, "abc", 3) for p in ("linear", "knn")), scores("forest", "abc", 1))
    shapes = {s.probe: s.table.values.shape for s in statistics.tables(with_chosen(given))}
    assert shapes["chosen (linear, knn)"] == (2, 3, 3)
    assert shapes["chosen (linear, knn, forest)"] == (2, 3, 1)


def test_one_embedder_that_a_probe_asked_is_no_comparison() -> None:
    given = results(*(scores(p, "abc") for p in ("linear", "knn")), scores("forest", "a"))
    assert list(chosen(given)) == ["chosen (linear, knn)"]
    alone = results(*(scores(p, "a") for p in ("linear", "knn")))
    assert list(chosen(alone)) == ["chosen (linear, knn)"]


@pytest.mark.parametrize("second", ["linear", "mean"])
def test_one_probe_leaves_no_choice(second: str) -> None:
    assert not chosen(results(scores("linear", "abc"), scores(second, "abc")))


def test_nothing_is_chosen_where_validation_rows_are_reported() -> None:
    given = results(scores("linear", "abc"), scores("knn", "abc"))
    assert not chosen(reported(given, "valid"))


def test_a_cell_without_every_candidate_is_a_hole(tmp_path) -> None:
    whole = results(scores("linear", "abc"), scores("knn", "abc"))
    missing = ("two", "b", "knn")
    kept = [s for s in whole.scores if (s.task, s.embedder, s.probe) != missing]
    (section, *_) = statistics.tables(with_chosen(replace(whole, scores=tuple(kept))))
    assert (section.probe, section.table.tasks) == ("chosen (linear, knn)", ("one",))
    assert section.left_out == ("two",)


def test_a_report_counts_what_was_asked_and_shows_the_choice(tmp_path) -> None:
    given = results(*(scores(p, "abc") for p in ("linear", "knn")), scores("forest", "ac"))
    _, text, *figures = reports.write(tmp_path, given)
    page = text.read_text()
    assert "3 embedders, 2 tasks, 3 probes, 2 seeds, 32 scores" in page
    assert "## g: chosen (linear, knn) probe, given split" in page
    assert "## g: chosen (linear, knn, forest) probe, given split" in page
    assert tmp_path / "ranks-g-chosen-linear-knn-given.png" in figures
    first, second = page.split("### Probes chosen")[1:]
    assert "candidates are linear and knn, the same for all 3 embedders" in first
    assert "No candidate, for not every one of these embedders was asked" in first
    assert "| a | 0 % | 100 % |" in first
    assert "Not compared here, for they lack a candidate: b." in second
    assert "| c | 0 % | 0 % | 100 % |" in second
