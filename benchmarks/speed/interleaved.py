"""Timing by rounds: work and the plain library by turns, so that a busy machine hits both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from molkd.benchmarks.speed.records import BASE
from molkd.benchmarks.tasks.modalities import BenchmarkModality

Clock = Callable[[], float]
"""Seconds since some moment."""

_PILOT_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long to measure.

    Attributes:
        repeats: rounds.
        seconds: what all rounds together may take, about.
        count: items to measure whatever they take; None leaves it to `seconds`.
    """

    repeats: int
    seconds: float
    count: int | None = None


def by_turns(
    work: Callable[[], Mapping[str, float]],
    items: Sequence[Any],
    modality: BenchmarkModality,
    repeats: int,
    clock: Clock,
) -> dict[str, tuple[float, ...]]:
    """Measures A B A B ... A, where A reads the items with the plain library and B is the work.

    Args:
        work: returns name -> seconds.
        items: what the work is about.
        modality: of the items; says what A does.
        repeats: rounds of B.
        clock: for A.

    Returns:
        "base" and all names of the work -> seconds of each round; those of the base are the mean of
        what it took just before and just after.
    """

    def base() -> float:
        start = clock()
        modality.read(items)
        return clock() - start

    return alternating(BASE, base, work, repeats)


def alternating(
    name: str, base: Callable[[], float], work: Callable[[], Mapping[str, float]], repeats: int
) -> dict[str, tuple[float, ...]]:
    """Measures A B A B ... A, where A is what B is compared with.

    Args:
        name: of A.
        base: A; returns its seconds.
        work: B; returns name -> seconds.
        repeats: rounds of B.

    Returns:
        The name of A and all names of B -> seconds of each round; those of A are the mean of what
        it took just before and just after.
    """
    before = base()
    rounds: dict[str, list[float]] = {name: []}
    for _ in range(repeats):
        for part, seconds in work().items():
            rounds.setdefault(part, []).append(seconds)
        after = base()
        rounds[name].append((before + after) / 2)
        before = after
    return {part: tuple(seconds) for part, seconds in rounds.items()}


def affordable(
    work: Callable[[int], object], size: int, limits: Limits, *, clock: Clock, fewest: int = 16
) -> int:
    """Says how many of `size` items a round may have, from ever larger trials.

    Args:
        work: one round on so many items; it may be slow in the first trial.
        size: most items.
        limits: how long all rounds and one before them may take.
        clock: for the trials.
        fewest: items of the first trial, and of a round however long that takes.
    """
    if limits.count is not None:
        return min(limits.count, size)
    trial = min(fewest, size)
    while True:
        start = clock()
        work(trial)
        spent = clock() - start
        if trial == size or spent > _PILOT_SHARE * limits.seconds:
            break
        trial = min(4 * trial, size)
    if spent <= 0:
        return size
    count = int(trial / spent * limits.seconds / (limits.repeats + 1))
    return max(min(count, size), min(fewest, size))
