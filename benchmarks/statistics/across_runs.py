"""What training again would change: embedders paired over the seeds of their training runs.

Tests over tasks ask whether a finding holds for other tasks; these ask whether it holds for other
training runs on the same ones. Neither answers the other's question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.stats import t as student

from molkd.benchmarks.statistics import ScoreTable
from molkd.benchmarks.statistics.significance import ALPHA, Values, holm

_NO_SPREAD = 1e-12  # equal scores that were added up in another order are equal


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRuns:
    """The reference against one other embedder, paired over seeds.

    Attributes:
        runs: training runs of the reference.
        ahead: runs in which the reference has the higher mean over tasks.
        mean_difference: mean over tasks and runs, reference minus other.
        low: lower end of Student's interval for the mean over runs.
        high: upper end.
        p: of the two-sided paired t-test.
        p_holm: the same, corrected for the number of embedders compared with the reference.
        by_task: task -> mean difference and its interval.
    """

    runs: int
    ahead: int
    mean_difference: float
    low: float
    high: float
    p: float
    p_holm: float
    by_task: Mapping[str, tuple[float, float, float]]

    @property
    def decided(self) -> int:
        """1 where the reference is better, -1 where it is worse, 0 where neither is shown."""
        if self.p_holm >= ALPHA:
            return 0
        return 1 if self.mean_difference > 0 else -1


def paired_runs(
    table: ScoreTable, reference: str, runs: Mapping[str, int]
) -> dict[str, PairedRuns]:
    """Compares an embedder that was trained once per seed with every other.

    An embedder that was trained once, as a teacher, is the same for every seed: against it the
    spread is that of the reference alone.

    Args:
        table: the scores.
        reference: one of its embedders.
        runs: label -> number of training runs behind its scores.

    Returns:
        Label of every other embedder -> comparison; nothing where the reference was not trained
        once per seed, or where there is one seed.
    """
    seeds = table.values.shape[2]
    if seeds < 2 or runs.get(reference, 1) != seeds:
        return {}
    own = table.values[:, table.embedders.index(reference)]
    apart = {
        label: own - table.values[:, column]
        for column, label in enumerate(table.embedders)
        if label != reference
    }
    tests = {label: paired_t(difference.mean(axis=0)) for label, difference in apart.items()}
    corrected = holm({label: p for label, (_, _, _, p) in tests.items()})
    return {
        label: PairedRuns(
            runs=seeds,
            ahead=int((apart[label].mean(axis=0) > 0).sum()),
            mean_difference=mean,
            low=low,
            high=high,
            p=p,
            p_holm=corrected[label],
            by_task={
                task: paired_t(row)[:3] for task, row in zip(table.tasks, apart[label], strict=True)
            },
        )
        for label, (mean, low, high, p) in tests.items()
    }


def paired_t(difference: Values) -> tuple[float, float, float, float]:
    """Returns the mean, its interval, and p of Student's t-test that it is zero.

    Args:
        difference: shape (n,), n at least 2; without spread they are sure.
    """
    runs, mean = len(difference), float(difference.mean())
    error = float(difference.std(ddof=1)) / math.sqrt(runs)
    if error < _NO_SPREAD:
        return mean, mean, mean, float(abs(mean) < _NO_SPREAD)
    half = error * float(student.ppf(1 - ALPHA / 2, runs - 1))
    return mean, mean - half, mean + half, 2 * float(student.sf(abs(mean) / error, runs - 1))
