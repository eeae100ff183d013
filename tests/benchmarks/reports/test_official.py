"""Scores as the authors of a benchmark count them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from molkd.benchmarks.reports import official
from molkd.benchmarks.reports.official import number
from tests.fakes import fake_results


def lines(results, group="tdc-admet", split="given"):
    return official.lines(results, group=group, probe="linear", split=split)


def test_scores_are_means_and_sample_deviations_over_seeds() -> None:
    results = fake_results.results(tasks=["ppbr_az"], embedders=["ecfp4-counts"], seeds=3)
    values = [score.test["MAE"] for score in results.scores]
    (line,) = lines(results)
    assert line.metric == "MAE"
    assert line.compared == 1612
    found = line.scores["ecfp4-counts"]
    assert found.mean == pytest.approx(sum(values) / 3)
    assert found.sd == pytest.approx(np.std(values, ddof=1))


def test_a_single_seed_has_no_deviation() -> None:
    results = fake_results.results(tasks=["ames"], seeds=1)
    (line,) = lines(results)
    assert {score.sd for score in line.scores.values()} == {None}


def test_labels_are_averaged_before_seeds() -> None:
    results = fake_results.results(
        tasks=[], embedders=["ecfp4-counts"], seeds=2, extra=[fake_results.multi_label(labels=3)]
    )
    per_seed = [
        np.mean([score.test["AUROC"] for score in results.scores if score.seed == seed])
        for seed in range(2)
    ]
    (line,) = lines(results, "moleculenet", "scaffold")
    assert line.title == "tox21 (mean of 3 labels)"
    assert line.scores["ecfp4-counts"].mean == pytest.approx(np.mean(per_seed))
    assert line.scores["ecfp4-counts"].sd == pytest.approx(np.std(per_seed, ddof=1))


def test_a_label_that_one_embedder_lacks_counts_for_none() -> None:
    whole = fake_results.results(
        tasks=[],
        embedders=["ecfp4-counts", "student-base"],
        seeds=2,
        extra=[fake_results.multi_label(labels=3)],
    )
    kept = tuple(
        score
        for score in whole.scores
        if (score.label, score.embedder) != ("assay-0", "student-base")
    )
    (line,) = lines(replace(whole, scores=kept), "moleculenet", "scaffold")
    assert line.labels == 2
    others = [
        score.test["AUROC"]
        for score in kept
        if score.embedder == "ecfp4-counts" and score.label != "assay-0"
    ]
    assert line.scores["ecfp4-counts"].mean == pytest.approx(np.mean(others))


def test_an_embedder_with_holes_in_every_label_has_no_score() -> None:
    whole = fake_results.results(tasks=["ames"], embedders=["ecfp4-counts", "maccs"], seeds=2)
    kept = tuple(s for s in whole.scores if (s.embedder, s.seed) != ("maccs", 1))
    (line,) = lines(replace(whole, scores=kept))
    assert list(line.scores) == ["ecfp4-counts"]


def test_subsets_follow_the_whole_and_only_the_official_metric_counts() -> None:
    results = fake_results.results(tasks=[], extra=[fake_results.cliffs()])
    found = lines(results, "moleculeace", "scaffold")
    assert [line.metric for line in found] == ["RMSE", "RMSE[cliffs]"]
    assert not found[1].greater_is_better
    assert found[1].best == min(score.mean for score in found[1].scores.values())


def test_tasks_without_scores_are_left_out() -> None:
    results = fake_results.results(tasks=["ames"], extra=[fake_results.left_out()])
    assert [line.task for line in lines(results)] == ["ames"]


@pytest.mark.parametrize(
    ("mean", "sd", "text"),
    [
        (0.81249, None, "0.812"),
        (0.81249, 0.0101, "0.812 ± 0.010"),
        (-0.5, 0.1, "\N{MINUS SIGN}0.500 ± 0.100"),
        (12.345, 0.5, "12.35 ± 0.50"),
        (123.45, 6.78, "123.5 ± 6.8"),
    ],
)
def test_numbers_have_as_many_digits_as_they_deserve(mean, sd, text) -> None:
    assert number(mean, sd) == text


def test_scores_of_other_splits_and_of_few_labels_do_not_mix() -> None:
    plain = fake_results.results(tasks=["ames"], embedders=["maccs"], seeds=2)
    others = [
        replace(score, test={"AUROC": 0.1}, **changed)
        for score in plain.scores
        for changed in ({"split": "cluster"}, {"labelled": 10})
    ]
    task = replace(plain.tasks[0], split="cluster")
    mixed = replace(plain, tasks=(*plain.tasks, task), scores=(*plain.scores, *others))
    assert lines(mixed) == lines(plain)
    (line,) = lines(mixed, split="cluster")
    assert line.scores["maccs"].mean == 0.1
