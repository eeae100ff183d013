"""Training again: paired over seeds, Student's t."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from molkd.benchmarks import reports
from molkd.benchmarks.statistics import ScoreTable
from molkd.benchmarks.statistics.across_runs import paired_runs
from tests.fakes import fake_results

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
