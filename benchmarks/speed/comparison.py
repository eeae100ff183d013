"""Old against new: quotients of ratios, with a verdict that knows how noisy the rounds were."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from molkd.benchmarks.speed.records import SpeedCell, SpeedMeasurement, Work
from molkd.errors import ConfigError

Verdict = Literal[
    "slower",
    "faster",
    "no difference",
    "too few rounds",
    "failed",
    "only old",
    "only new",
    "neither",
]
"""In words; "failed": it could be measured before, "neither": it never could."""

TOLERANCE = 0.05
"""Differences below this share are none, however certain: machines are not that steady."""

ALPHA = 0.05

COMPARABLE = ("digest", "threads", "device")
"""Settings in which two files must agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one cell.

    Attributes:
        label: of the embedder.
        work: embedding or training.
        size: items of the library.
        old: median time over RDKit's.
        new: the same.
        quotient: new / old; above 1 is slower.
        low: lower quartile of the quotients of all pairs of rounds.
        high: upper quartile.
        verdict: in words.
        note: why it failed, or what else to know.
    """

    label: str
    work: Work
    size: int
    old: float = math.nan
    new: float = math.nan
    quotient: float = math.nan
    low: float = math.nan
    high: float = math.nan
    verdict: Verdict
    note: str = ""


def verdict(old: Sequence[float], new: Sequence[float]) -> Verdict:
    """Compares two samples of ratios.

    They differ where the two-sided Mann-Whitney test says so at 5 %, and their medians are more
    than 5 % apart. With three rounds or fewer on each side that test can never say so.
    """
    if not _can_differ(len(old), len(new)):
        return "too few rounds"
    from scipy.stats import mannwhitneyu

    quotient = median(new) / median(old)
    certain = float(mannwhitneyu(old, new, alternative="two-sided").pvalue) < ALPHA
    if not certain or abs(math.log(quotient)) <= math.log1p(TOLERANCE):
        return "no difference"
    return "slower" if quotient > 1 else "faster"


def compare(old: Sequence[SpeedCell], new: Sequence[SpeedCell]) -> list[Change]:
    """Compares cells of the same label, work and size, in the order of `new`, then of `old`."""
    before = {cell.place: cell for cell in old}
    after = {cell.place: cell for cell in new}
    return [_change(before.get(place), after.get(place)) for place in {**after, **before}]


def refuse_incomparable(old: Mapping[str, object], new: Mapping[str, object]) -> None:
    """Refuses files whose settings make their ratios mean different things.

    Raises:
        ConfigError: items, threads or device differ.
    """
    wrong = [
        f"{name}: {old.get(name)!r} there, {new.get(name)!r} here"
        for name in COMPARABLE
        if old.get(name) != new.get(name)
    ]
    if wrong:
        raise ConfigError(f"the baseline cannot be compared: {'; '.join(wrong)}")


def differing(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Returns the names under which two descriptions of a machine differ; molkd's may."""
    return [name for name in new if name != "molkd" and old.get(name) != new[name]]


def worse(changes: Sequence[Change], limit: float) -> list[Change]:
    """Returns the cells that got slower by more than a factor, or can no longer be measured."""
    slower = [c for c in changes if c.verdict == "slower" and c.quotient > limit]
    return slower + [c for c in changes if c.verdict == "failed"]


def _can_differ(old: int, new: int) -> bool:
    """Whether the least attainable p, 2 / C(old + new, old), is below the level."""
    return 2 / math.comb(old + new, old) < ALPHA


def _change(old: SpeedCell | None, new: SpeedCell | None) -> Change:
    cell = new or old
    assert cell is not None  # noqa: S101  (a place comes from one of the two)
    change = Change(label=cell.label, work=cell.work, size=cell.size, verdict="neither")
    before = None if old is None else old.measured
    after = None if new is None else new.measured
    if before is None or after is None:
        reasons = dict.fromkeys(each.error for each in (new, old) if each is not None)
        note = "; ".join(filter(None, reasons))
        return replace(change, verdict=_lacking(before, new), note=note)
    quotients = sorted(b / a for a in before.ratios() for b in after.ratios())
    same = before.count == after.count
    return replace(
        change,
        old=median(before.ratios()),
        new=median(after.ratios()),
        quotient=median(after.ratios()) / median(before.ratios()),
        low=_quantile(quotients, 0.25),
        high=_quantile(quotients, 0.75),
        verdict=verdict(before.ratios(), after.ratios()),
        note="" if same else f"on {before.count:,} and {after.count:,} items",
    )


def _lacking(before: SpeedMeasurement | None, new: SpeedCell | None) -> Verdict:
    """The verdict where not both sides were measured."""
    if new is not None and new.measured is not None:
        return "only new"
    if before is None:
        return "neither"
    return "only old" if new is None else "failed"


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[round(share * (len(ordered) - 1))]
