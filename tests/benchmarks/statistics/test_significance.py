"""Tests and intervals against scipy, textbooks and every arrangement of signs."""

from __future__ import annotations

import itertools
from math import comb

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, wilcoxon

from molkd.benchmarks.statistics import significance
from molkd.benchmarks.statistics.significance import ALPHA

# Demsar 2006, table 2: C4.5+m minus C4.5 on 14 data sets.
DEMSAR = [5, -8, 17, 33, 6, -5, 7, 0, 63, 0, 22, 47, 9, 21]

# Demsar 2006, table 6: ranks of four algorithms on the same data sets.
DEMSAR_RANKS = np.array(
    [
        [4, 3, 2, 1],
        [1, 2, 3, 4],
        [4, 1, 2, 3],
        [4, 1, 3, 2],
        [4, 2, 3, 1],
        [1, 2.5, 4, 2.5],
        [3, 2, 4, 1],
        [2.5, 2.5, 4, 1],
        [4, 3, 2, 1],
        [2.5, 2.5, 2.5, 2.5],
        [4, 2.5, 1, 2.5],
        [3, 2, 4, 1],
        [4, 1, 2, 3],
        [3, 1, 4, 2],
    ]
)


def by_all_signs(difference: list[float]) -> float:
    """The p-value by its definition: every sign of every difference, counted."""
    d = np.array(difference)
    sizes = np.abs(d)
    ranks = np.array([(sizes < x).sum() + ((sizes == x).sum() + 1) / 2 for x in sizes])
    flips = np.array(list(itertools.product([-1, 1], repeat=len(d))))
    sums = flips @ np.where(d != 0, ranks, 0)
    return float((np.abs(sums) >= abs(np.sign(d) @ ranks) - 1e-9).mean())


@pytest.mark.parametrize(
    "difference",
    [
        [1.0],
        [1.0, -2.0],
        [3.0, 1.0, 2.0, -1.0],
        [0.0, 0.0, 1.0, 2.0, -2.0, 5.0],
        [0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, 0.0],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    ],
)
def test_signed_rank_p_counts_all_signs(difference: list[float]) -> None:
    found = significance.signed_rank_p(np.array(difference))
    assert found == pytest.approx(by_all_signs(difference))


@pytest.mark.parametrize("tasks", [2, 6, 22, 40])
def test_signed_rank_p_is_scipys_where_that_is_exact(tasks: int) -> None:
    difference = np.random.default_rng(tasks).normal(0.3, 1, tasks)
    expected = wilcoxon(difference, method="exact").pvalue
    assert significance.signed_rank_p(difference) == pytest.approx(expected, rel=1e-9)


def test_signed_rank_p_of_demsars_example() -> None:
    # Half of the zeros' ranks on each side, the smaller sum is 12; 21 is critical at .05 (ibid.).
    approximate = wilcoxon(DEMSAR, zero_method="zsplit", method="asymptotic")
    assert approximate.statistic == 12
    found = significance.signed_rank_p(np.array(DEMSAR, dtype=np.float64))
    assert found == pytest.approx(by_all_signs([float(d) for d in DEMSAR]))
    assert found == pytest.approx(approximate.pvalue, abs=0.005)


def test_signed_rank_p_of_nothing_but_zeros_is_one() -> None:
    assert significance.signed_rank_p(np.zeros(5)) == 1.0


def test_signed_rank_p_of_many_tasks_does_not_underflow() -> None:
    found = significance.signed_rank_p(np.arange(1.0, 201.0))
    assert found == pytest.approx(2 * 0.5**200)


def test_signed_rank_p_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    found = [significance.signed_rank_p(rng.standard_t(3, 22)) for _ in range(1000)]
    # Three standard errors of a rate of .05 over 1,000 tables are .021.
    assert np.mean(np.array(found) <= ALPHA) == pytest.approx(ALPHA, abs=0.021)


def test_holm_on_a_worked_example() -> None:
    corrected = significance.holm({"a": 0.04, "b": 0.01, "c": 0.03})
    assert corrected == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert list(corrected) == ["a", "b", "c"]


def test_holm_never_exceeds_one() -> None:
    assert significance.holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}


def test_holm_keeps_the_family_wise_error_of_null_comparisons() -> None:
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(200):
        scores = rng.normal(size=(15, 6))
        raw = {
            str(column): significance.signed_rank_p(scores[:, 0] - scores[:, column])
            for column in range(1, 6)
        }
        wrong += min(significance.holm(raw).values()) <= ALPHA
    assert wrong / 200 < ALPHA + 3 * (ALPHA * (1 - ALPHA) / 200) ** 0.5


def test_friedman_of_demsars_example() -> None:
    chi2, p = significance.friedman(-DEMSAR_RANKS)
    assert chi2 is not None
    assert p is not None
    # 9.28 without correction for ties (ibid.); tied ranks: three pairs and one group of four.
    share_of_ties = (3 * (2**3 - 2) + (4**3 - 4)) / (14 * 4 * (4**2 - 1))
    assert chi2 * (1 - share_of_ties) == pytest.approx(9.28, abs=0.005)
    assert chi2 == pytest.approx(friedmanchisquare(*DEMSAR_RANKS.T).statistic)
    assert 0.01 < p < 0.03


def test_friedman_where_it_is_not_defined() -> None:
    assert significance.friedman(np.ones((5, 2))) == (None, None)
    assert significance.friedman(np.ones((1, 4))) == (None, None)
    assert significance.friedman(np.ones((5, 4))) == (0.0, 1.0)


def test_friedman_is_conservative_and_not_far_from_its_level() -> None:
    rng = np.random.default_rng(2)
    found = [significance.friedman(rng.normal(size=(22, 5)))[1] for _ in range(300)]
    rate = np.mean([p is not None and p <= ALPHA for p in found])
    assert 0.01 < rate < 0.08


@pytest.mark.parametrize(
    ("embedders", "quantile"),
    [
        (3, 2.343),
        (4, 2.569),
        (5, 2.728),
        (6, 2.850),
        (7, 2.949),
        (8, 3.031),
        (9, 3.102),
        (10, 3.164),
    ],
)
def test_critical_difference_has_the_tabulated_quantiles(embedders: int, quantile: float) -> None:
    found = significance.critical_difference(embedders, 14)
    expected = quantile * (embedders * (embedders + 1) / (6 * 14)) ** 0.5
    assert found == pytest.approx(expected, rel=5e-4)


def test_critical_difference_of_demsars_example() -> None:
    assert significance.critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert significance.critical_difference(2, 14) is None


def test_intervals_agree_with_all_resamples() -> None:
    samples = np.array([0.0, 1.0, 5.0])
    means = [np.mean(draw) for draw in itertools.product(samples, repeat=3)]
    found = significance.intervals(samples[:, None], seed=0)
    assert found is not None
    expected = np.quantile(means, [0.025, 0.975], method="inverted_cdf")
    np.testing.assert_allclose(found[:, 0], expected)


def test_intervals_are_seeded_and_shared_by_columns() -> None:
    samples = np.random.default_rng(0).normal(size=(22, 1))
    both = significance.intervals(np.hstack([samples, 2 * samples]), seed=3)
    again = significance.intervals(samples, seed=3)
    other = significance.intervals(samples, seed=4)
    assert both is not None
    assert again is not None
    np.testing.assert_allclose(both[:, 1], 2 * both[:, 0])
    np.testing.assert_allclose(both[:, 0], again[:, 0])
    assert other is not None
    assert (again != other).all()


def test_there_is_no_interval_of_one_task() -> None:
    assert significance.intervals(np.ones((1, 2)), seed=0) is None


def test_intervals_cover_the_mean() -> None:
    # Columns are tables of 22 tasks; the percentile bootstrap then covers 93 of 100 times.
    samples = np.random.default_rng(5).normal(1.0, 1.0, size=(22, 400))
    found = significance.intervals(samples, seed=0)
    assert found is not None
    covered = ((found[0] <= 1) & (found[1] >= 1)).mean()
    assert 0.90 < covered < 0.97


def test_a_binomial_check_of_the_smallest_possible_p() -> None:
    # One loss at the smallest difference: only two of 2^t sign patterns are more extreme.
    difference = np.array([-1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    expected = 2 * (comb(7, 0) + 1) / 2**7
    assert significance.signed_rank_p(difference) == pytest.approx(expected)
