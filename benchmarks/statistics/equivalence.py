"""How sure it is that two embedders are practically equivalent, or one better than the other.

The Bayesian signed-rank test of Benavoli, Corani, Demsar and Zaffalon, Time for a Change: a
Tutorial for Comparing Multiple Classifiers Through Bayesian Analysis, JMLR 18:77 (2017), section
4.2. A p-value says how surprising the scores were if nothing differed; this says how likely it is,
after the scores, that a typical difference lies beyond a region that was stated beforehand.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.statistics import Section
from molkd.benchmarks.statistics.significance import Values
from molkd.errors import ConfigError, UnknownNameError
from molkd.runtime.registry import near

REGIONS: Mapping[str, float] = {
    "AUROC": 0.01,
    "Spearman": 0.02,
    "R2": 0.02,
    "Accuracy": 0.01,
    "V-measure": 0.02,
}
"""Comparable metric -> half the width of its region: a smaller difference is none in practice."""

SURE = 0.9
"""Probability from which a verdict is pronounced."""

DRAWS = 10_000
"""Of the posterior; a probability of one half is known to .005."""

_PRIOR = 0.5  # weight of one pseudo-task on which the two do not differ, as in the paper's library
_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Outlook:
    """How likely each verdict about an embedder against another is; the three add up to 1.

    Attributes:
        better: that it is better by more than the region.
        equivalent: that the difference lies within.
        worse: that it is worse by more than the region.
    """

    better: float
    equivalent: float
    worse: float

    @property
    def verdict(self) -> str:
        """What is most likely: "better", "equivalent" or "worse"; "open" where none is `SURE`."""
        chances = {name: getattr(self, name) for name in ("better", "equivalent", "worse")}
        name = max(chances, key=lambda name: chances[name])
        return name if chances[name] >= SURE else "open"

    @property
    def reversed(self) -> Outlook:
        """The same, of the other against the one."""
        return Outlook(self.worse, self.equivalent, self.better)


def regions(changes: Mapping[str, float] | None = None) -> dict[str, float]:
    """Returns `REGIONS` with some of them changed.

    Raises:
        UnknownNameError: means over tasks are not computed from such a metric.
        ConfigError: a region is not positive and finite.
    """
    for metric, width in (changes or {}).items():
        if metric not in REGIONS:
            raise UnknownNameError(
                f"no region of equivalence for {metric!r}{near(metric, REGIONS)}; "
                f"metrics that are compared over tasks: {', '.join(REGIONS)}"
            )
        if not 0 < width < math.inf:
            raise ConfigError(
                f"the region of equivalence of {metric} must be a positive number, not {width}"
            )
    return {**REGIONS, **(changes or {})}


def pairs(
    section: Section, widths: Mapping[str, float], *, seed: int = 0
) -> dict[tuple[str, str], Outlook]:
    """Compares every two embedders of a section, both ways, over its tasks.

    Differences between means over seeds are divided by the region of the task's metric, so that
    tasks of several metrics can be compared together and the region is -1 to 1 in all.

    Args:
        section: the scores.
        widths: see `regions`.
        seed: of the draws, which all pairs share.

    Returns:
        (one, other) -> how the one compares with the other, without pairs of one with itself.
    """
    scaled = _scaled(section, widths)
    weights = _weights(len(scaled), seed)
    found: dict[tuple[str, str], Outlook] = {}
    for (a, one), (b, other) in itertools.combinations(enumerate(section.table.embedders), 2):
        outlook = _outlook(scaled[:, a] - scaled[:, b], weights)
        found[one, other], found[other, one] = outlook, outlook.reversed
    return found


def between(section: Section, widths: Mapping[str, float], one: str, other: str) -> Outlook:
    """Returns what `pairs` says about two embedders of a section."""
    columns = [section.table.embedders.index(label) for label in (one, other)]
    first, second = _scaled(section, widths)[:, columns].T
    return signed_rank(first - second)


def signed_rank(differences: Values, *, seed: int = 0) -> Outlook:
    """Returns the verdicts about an embedder, from its differences to another.

    Args:
        differences: shape (t,), one minus other, in units of the region.
        seed: of the draws.
    """
    return _outlook(differences, _weights(len(differences), seed))


def _scaled(section: Section, widths: Mapping[str, float]) -> Values:
    """Shape (t, e): means over seeds in units of the region."""
    scale = np.array([widths[metric] for metric in section.metrics])
    return section.table.means / scale[:, None]


def _weights(tasks: int, seed: int) -> Values:
    """Shape (draws, t + 1): weights of the pseudo-task and of each task (a Dirichlet process)."""
    concentration = np.r_[_PRIOR, np.ones(tasks)]
    return np.random.default_rng(seed).dirichlet(concentration, size=DRAWS)


def _outlook(differences: Values, weights: Values) -> Outlook:
    """In each draw the verdict with the greatest weight among means of two tasks wins."""
    values = np.r_[0.0, differences]
    means = ((values[:, None] + values) / 2).round(_DECIMALS)
    above = np.heaviside(means - 1, 0.5)  # on the border of the region, half
    below = np.heaviside(-means - 1, 0.5)
    better, worse = ((weights @ side * weights).sum(axis=1) for side in (above, below))
    first = np.argmax([1 - better - worse, better, worse], axis=0)
    equivalent, better, worse = (np.bincount(first, minlength=3) / len(first)).tolist()
    return Outlook(better, equivalent, worse)
