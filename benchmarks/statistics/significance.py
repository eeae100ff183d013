"""Tests and intervals for scores that are paired over tasks.

After Demsar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7 (2006). What is
undefined is None, never NaN.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import friedmanchisquare, rankdata, studentized_range

Values = npt.NDArray[np.float64]

ALPHA = 0.05
"""Level of the tests; intervals cover 1 - ALPHA."""

RESAMPLES = 10_000
"""Draws of the bootstrap."""


def mean_ranks(means: Values) -> Values:
    """Returns shape (e,): the mean over tasks of each embedder's rank, 1 for the best.

    Args:
        means: shape (t, e), more is better; equal ones share their ranks.
    """
    return rankdata(-means, axis=1).mean(axis=0)


def signed_rank_p(difference: Values) -> float:
    """Returns the exact two-sided p-value of Wilcoxon's signed-rank test.

    Exact given the sizes of the differences, ties among them included: every sign is equally
    likely under the null hypothesis. Zeros are ranked with the others and carry no sign (Pratt
    1959); to give half of their ranks to each side, as Demsar does, would not change the p-value.

    Args:
        difference: shape (t,); without any that is not zero, p is 1.
    """
    doubled = np.rint(2 * rankdata(np.abs(difference))).astype(np.int64)
    signed = doubled[difference != 0]
    positive, total = int(doubled[difference > 0].sum()), int(signed.sum())
    chances = np.zeros(total + 1)  # of each doubled sum of positive ranks
    chances[0] = 1.0
    for rank in signed:
        shifted = np.concatenate([np.zeros(rank), chances[:-rank]])
        chances = (chances + shifted) / 2
    return min(1.0, 2 * float(chances[: min(positive, total - positive) + 1].sum()))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Corrects p-values for their number by Holm's step-down method (1979)."""
    corrected: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(p, key=lambda name: p[name])):
        largest = max(largest, min(1.0, (len(p) - place) * p[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p}


def friedman(means: Values) -> tuple[float | None, float | None]:
    """Returns statistic and p-value of the Friedman test, corrected for ties.

    The chi-squared distribution approximates that of the statistic; conservative for few tasks.

    Args:
        means: shape (t, e).

    Returns:
        None twice for fewer than 3 embedders or 2 tasks; 0 and 1 where all are equal.
    """
    tasks, embedders = means.shape
    if embedders < 3 or tasks < 2:
        return None, None
    if (means == means[:, :1]).all():
        return 0.0, 1.0
    test = friedmanchisquare(*means.T)
    return float(test.statistic), float(test.pvalue)


def critical_difference(embedders: int, tasks: int) -> float | None:
    """Returns how far apart two mean ranks differ significantly (Nemenyi); None below 3 embedders.

    q sqrt(k (k + 1) / (6 t)) for k embedders and t tasks, q being the quantile of the studentised
    range of k means with infinitely many degrees of freedom, divided by sqrt 2 (Demsar, eq. 5).
    """
    if embedders < 3:
        return None
    quantile = float(studentized_range.ppf(1 - ALPHA, embedders, np.inf)) / np.sqrt(2)
    return float(quantile * np.sqrt(embedders * (embedders + 1) / (6 * tasks)))


def intervals(samples: Values, *, seed: int) -> Values | None:
    """Returns percentile bootstrap intervals of means; None where there is one row alone.

    Percentiles of the mean over `RESAMPLES` draws of as many rows with replacement; too narrow
    where rows are few. All columns see the same draws.

    Args:
        samples: shape (t, ...).
        seed: of the draws.

    Returns:
        Shape (2, ...): lower and upper ends.
    """
    rows = len(samples)
    if rows < 2:
        return None
    drawn = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES)
    means = drawn @ samples.reshape(rows, -1) / rows
    ends = np.quantile(means, [ALPHA / 2, 1 - ALPHA / 2], axis=0)
    return ends.reshape(2, *samples.shape[1:])
