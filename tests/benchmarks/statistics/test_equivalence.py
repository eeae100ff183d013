"""The Bayesian signed-rank test against the library of its authors, and what regions do."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.statistics import ScoreTable, Section, equivalence
from molkd.benchmarks.statistics.equivalence import REGIONS, Outlook
from molkd.benchmarks.tasks.kinds import KINDS
from molkd.errors import ConfigError, UnknownNameError

# baycomp 1.0.3, `SignedRankTest.probs(zeros, differences, 1.0)`: means of four seeds of 50,000
# draws each, so known to .001; worse, equivalent, better.
BAYCOMP = [
    ([0.4, -0.2, 1.6, 0.1, 2.5, 0.9, -1.4, 3.1, 0.0, 0.6], (0.0, 0.7935, 0.2065)),
    ([2.0, 1.5, 3.0, 0.8, 2.2, 1.1], (0.0, 0.0353, 0.9646)),
    ([0.1, -0.2, 0.3, 0.0, 0.05, -0.1, 0.2], (0.0, 1.0, 0.0)),
    ([-3.0, -0.5, -2.0, -1.2, 1.4, -0.9, -4.0, 0.2], (0.579, 0.4207, 0.0003)),
    ([1.0, 1.0, -1.0, 0.0, 2.0, -2.0, 1.0, 1.0], (0.0022, 0.9301, 0.0677)),
    ([3.0], (0.0, 0.1591, 0.8409)),
]


def section(values: np.ndarray, metrics: tuple[str, ...]) -> Section:
    """Shape (t, e): the scores of one seed."""
    names = tuple("abcdefgh"[: values.shape[1]])
    tasks = tuple(f"task-{row}" for row in range(len(values)))
    return Section("g", "linear", "given", ScoreTable(tasks, names, values[:, :, None]), metrics)


@pytest.mark.parametrize(("differences", "expected"), BAYCOMP)
def test_probabilities_are_those_of_the_authors_library(
    differences: list[float], expected: tuple[float, float, float]
) -> None:
    found = equivalence.signed_rank(np.array(differences))
    assert (found.worse, found.equivalent, found.better) == pytest.approx(expected, abs=0.015)
    assert found.worse + found.equivalent + found.better == pytest.approx(1)


def test_tasks_of_several_metrics_count_in_units_of_their_regions() -> None:
    mixed = np.array([[0.80, 0.795], [0.75, 0.755], [0.5, 0.49], [0.4, 0.405], [0.6, 0.592]])
    metrics = ("AUROC", "AUROC", "Spearman", "Spearman", "Spearman")
    found = equivalence.pairs(section(mixed, metrics), REGIONS)
    scaled = (mixed[:, 0] - mixed[:, 1]) / [0.01, 0.01, 0.02, 0.02, 0.02]
    assert found["a", "b"] == equivalence.signed_rank(scaled)
    assert found["a", "b"].verdict == "equivalent"
    narrow = equivalence.regions({"AUROC": 0.001, "Spearman": 0.002})
    assert equivalence.pairs(section(mixed, metrics), narrow)["a", "b"].equivalent < 0.5


def test_both_ways_mirror_each_other_and_the_draws_are_the_same_every_time() -> None:
    values = np.random.default_rng(0).normal(0.7, 0.02, size=(12, 4))
    one = section(values, ("AUROC",) * 12)
    found = equivalence.pairs(one, REGIONS)
    assert len(found) == 12
    assert found == equivalence.pairs(one, REGIONS)
    for (a, b), outlook in found.items():
        mirrored = found[b, a]
        assert (outlook.better, outlook.worse) == (mirrored.worse, mirrored.better)
        assert equivalence.between(one, REGIONS, "c", "a") == found["c", "a"]


def test_more_tasks_that_agree_make_it_surer() -> None:
    chances = [equivalence.signed_rank(np.full(tasks, 1.5)).better for tasks in (1, 3, 10)]
    assert chances == sorted(chances)
    assert chances[-1] > 0.99
    assert equivalence.signed_rank(np.full(1, 1.5)).verdict == "open"


def test_a_verdict_needs_nine_in_ten() -> None:
    assert Outlook(0.9, 0.06, 0.04).verdict == "better"
    assert Outlook(0.04, 0.06, 0.9).verdict == "worse"
    assert Outlook(0.89, 0.06, 0.05).verdict == "open"


def test_every_metric_that_is_compared_over_tasks_has_a_region() -> None:
    assert {*(kind.comparable for kind in KINDS.values()), "R2"} == set(REGIONS)


def test_regions_that_are_none_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"'AUROCC'.*Did you mean 'AUROC'"):
        equivalence.regions({"AUROCC": 0.01})
    for width in (0.0, -0.1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="of AUROC must be a positive number"):
            equivalence.regions({"AUROC": width})
    assert equivalence.regions({"R2": 0.5}) == {**REGIONS, "R2": 0.5}
