"""Training again: paired over seeds, Student's t."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from molkd.benchmarks import reports, statistics
from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.quality.evaluation import QualitySettings
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports import official
from molkd.benchmarks.statistics import ScoreTable
from molkd.benchmarks.statistics.across_runs import over_runs, paired_runs, recipes
from molkd.errors import ConfigError
from tests.fakes import fake_results, letters, scored

SEEDS = 4


def table(*rows: list[list[float]]) -> ScoreTable:
    """One task per argument: embedders "four", "one" and "teacher", seeds in columns."""
    names = tuple(f"task-{number}" for number in range(len(rows)))
    return ScoreTable(names, ("four", "one", "teacher"), np.array(rows))


NOISY = table(
    [[0.62, 0.66, 0.64, 0.65], [0.60, 0.63, 0.63, 0.61], [0.8] * SEEDS],
    [[0.90, 0.91, 0.93, 0.92], [0.90, 0.89, 0.91, 0.92], [0.7] * SEEDS],
)
RUNS = {"four": SEEDS, "one": SEEDS, "teacher": 1}


def test_figures_are_those_of_a_paired_t_test_of_means_over_tasks() -> None:
    found = paired_runs(NOISY, "four", RUNS)["one"]
    own, other = NOISY.values.mean(axis=0)[:2]
    expected = ttest_rel(own, other)
    spread = (own - other).std(ddof=1) / np.sqrt(SEEDS) * t.ppf(0.975, SEEDS - 1)
    assert found.p == pytest.approx(float(expected.pvalue))
    assert found.mean_difference == pytest.approx(float((own - other).mean()))
    assert found.low == pytest.approx(found.mean_difference - spread)
    assert found.high == pytest.approx(found.mean_difference + spread)
    assert (found.runs, found.ahead) == (SEEDS, 4)


def test_each_task_has_its_own_interval() -> None:
    found = paired_runs(NOISY, "four", RUNS)["one"].by_task
    mean, low, high = found["task-1"]
    assert mean == pytest.approx(0.01)
    assert low < 0 < high
    assert found["task-0"][0] == pytest.approx(0.025)


def test_p_values_are_corrected_for_their_number() -> None:
    found = paired_runs(NOISY, "four", RUNS)
    small, large = sorted(found.values(), key=lambda repeat: repeat.p)
    assert small.p_holm == pytest.approx(2 * small.p)
    assert large.p_holm == pytest.approx(max(large.p, small.p_holm))


@pytest.mark.parametrize("gap", [-0.1, 0.0, 0.1])
def test_differences_without_spread_are_sure(gap) -> None:
    flat = table([[0.5] * SEEDS, [0.5 - gap] * SEEDS, [0.5] * SEEDS])
    found = paired_runs(flat, "four", RUNS)["one"]
    assert found.low == found.high == pytest.approx(gap)
    assert found.decided == np.sign(gap)
    assert found.p == float(gap == 0)


def test_what_was_trained_once_has_nothing_to_say() -> None:
    assert paired_runs(NOISY, "teacher", RUNS) == {}
    assert paired_runs(NOISY, "four", {}) == {}
    single = ScoreTable(NOISY.tasks, NOISY.embedders, NOISY.values[:, :, :1])
    assert paired_runs(single, "four", dict.fromkeys(RUNS, 1)) == {}


def test_a_report_of_several_runs_has_the_chapter_and_one_of_a_single_run_has_not(tmp_path) -> None:
    once = fake_results.results(tasks=["ames", "herg"], embedders=["student-base", "maccs"])
    seeds = {score.seed for score in once.scores}
    student, fingerprint = once.embedders
    often = replace(once, embedders=(replace(student, runs=len(seeds)), fingerprint))
    _, text, *_ = reports.write(tmp_path / "often", often)
    chapter = text.read_text().partition("Over training runs")[2].partition("### ")[0]
    assert f"of {len(seeds)} runs, mean difference" in chapter
    assert "| maccs |" in chapter
    assert "ames" in chapter
    _, text, *_ = reports.write(tmp_path / "once", once)
    assert "Over training runs" not in text.read_text()


def test_runs_of_several_seeds_are_averaged_over_these() -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 3 * 4))
    found = paired_runs(ScoreTable(NOISY.tasks, NOISY.embedders, values), "four", {"four": 3})
    means = values.reshape(2, 3, 3, 4).mean(axis=3).mean(axis=0)
    expected = ttest_rel(means[0], means[1])
    assert found["one"].runs == 3
    assert found["one"].p == pytest.approx(float(expected.pvalue))
    assert paired_runs(ScoreTable(NOISY.tasks, NOISY.embedders, values), "four", {"four": 5}) == {}


TASKS = [scored.task("t"), scored.task("u")]
LABELS = ["base#0", "base#2", "ecfp4", "base#1"]


def runs(labels: list[str] = LABELS, seeds: int = 2) -> Results:
    """Run r with seed s has .1 r + .01 s; what was trained once .05 + .01 s."""
    scores = [
        scored.score(
            task,
            label,
            "linear",
            seed,
            lambda s: {
                "Spearman": (0.1 * int(s.embedder[-1]) if "#" in s.embedder else 0.05)
                + 0.01 * s.seed,
                "MAE": 1.0 + 0.1 * s.seed,
            },
        )
        for task in TASKS
        for label in labels
        for seed in range(seeds)
    ]
    return scored.results(TASKS, labels, scores)


def test_labels_with_a_number_sign_are_training_runs() -> None:
    assert recipes(LABELS) == {"base": ["base#0", "base#1", "base#2"], "ecfp4": ["ecfp4"]}
    assert recipes(["a#10", "a#9"]) == {"a": ["a#9", "a#10"]}
    assert recipes(["#1", "a#b", "C#"]) == {"#1": ["#1"], "a#b": ["a#b"], "C#": ["C#"]}


def test_a_recipe_takes_the_place_of_its_runs() -> None:
    found = over_runs(runs())
    assert [(record.label, record.runs) for record in found.embedders] == [
        ("base", 3),
        ("ecfp4", 1),
    ]
    ((section,), digests) = statistics.tables(found), {r.digest for r in found.embedders}
    assert section.table.embedders == ("base", "ecfp4")
    expected = [[0.0, 0.01, 0.1, 0.11, 0.2, 0.21], [0.05, 0.06] * 3]
    assert section.table.values[0] == pytest.approx(np.array(expected))
    assert len(digests) == 2
    assert over_runs(found) is found


def test_the_spread_of_what_was_trained_once_is_that_of_its_seeds() -> None:
    found = over_runs(runs())
    (line, _) = official.lines(found, group="g", probe="linear", split="given")
    assert line.scores["ecfp4"].sd == pytest.approx(np.std([1.0, 1.1], ddof=1))
    assert line.scores["base"].sd == pytest.approx(np.std([1.0, 1.1] * 3, ddof=1))
    (line, _) = official.lines(over_runs(runs(seeds=1)), group="g", probe="linear", split="given")
    assert line.scores["ecfp4"].sd is None


def test_a_report_of_runs_tells_what_training_again_would_change(tmp_path) -> None:
    given = runs()
    costs = {label: EmbeddingCost(label, 100.0, 200, 6.5) for label in LABELS}
    _, text, *_ = reports.write(tmp_path, given, costs=costs)
    page = text.read_text()
    assert "compared with base." in page
    assert "base is ahead in 2 of 3 runs, mean difference .050" in page
    assert "4 embedders, 2 tasks, 1 probe, 2 seeds, 16 scores" in page
    summary = page.partition("### Summary")[2].partition("###")[0]
    assert "| **base** | student | 4 | 0 | 100 | 6.5 |" in summary
    assert "base#1" not in summary.replace("\\", "")
    assert "base#1" in page.partition("What this rests on")[2].replace("\\", "")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a#0", "a#1", "b#0", "b#1", "b#2"], "2 of a, 3 of b; compare recipes of equally many"),
        (["a#0", "a"], "a is an embedder, and the name of the training runs a#0, a"),
    ],
)
def test_runs_that_do_not_fit_together_are_refused(labels: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        over_runs(runs(labels))


def test_runs_that_were_asked_differently_are_refused() -> None:
    given = runs()
    kept = tuple(s for s in given.scores if (s.embedder, s.task) != ("base#1", "u"))
    with pytest.raises(ConfigError, match=r"base#0 and base#1 are training runs of base, but"):
        over_runs(replace(given, scores=kept))


def test_training_runs_are_asked_by_their_name(tmp_path: Path) -> None:
    made = [letters.embedder(label, letters.Letters()) for label in ("a#0", "a#1", "b")]
    settings = QualitySettings(seeds=1, probes=("linear", "knn"), only={"knn": ("a",)})
    found = letters.run(tmp_path, embedders=made, settings=settings)
    assert {score.embedder for score in found.scores if score.probe == "knn"} == {"a#0", "a#1"}
    with pytest.raises(ConfigError, match="no embedder 'a#0' is compared"):
        letters.run(tmp_path, embedders=made, settings=replace(settings, only={"knn": ("a#0",)}))
    made.append(letters.embedder("a", letters.Letters()))
    with pytest.raises(ConfigError, match="a is an embedder, and the name of the training runs"):
        letters.run(tmp_path, embedders=made, settings=settings)
