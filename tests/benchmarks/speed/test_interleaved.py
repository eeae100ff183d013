"""Rounds by turns with a plain library, and how many molecules a slow embedder gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from molkd.benchmarks.speed.interleaved import Limits, affordable, by_turns
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from tests.fakes.clocks import FakeClock


def test_the_plain_library_is_measured_before_and_after_every_round() -> None:
    clock = FakeClock()
    order: list[str] = []
    costs = iter([1.0, 3.0, 5.0])

    def read(_items: object) -> None:
        order.append("A")
        clock.spend(next(costs))

    def work() -> dict[str, float]:
        order.append("B")
        return {"total": 10.0, "parse": 1.0}

    modality = replace(BENCHMARKED["molecules"], read=read)
    found = by_turns(work, ["C"], modality, 2, clock)
    assert order == list("ABABA")
    assert found == {"base": (2.0, 4.0), "total": (10.0, 10.0), "parse": (1.0, 1.0)}


@pytest.mark.parametrize(
    ("cost", "size", "expected"),
    [
        (0.001, 1000, 1000),  # 1 s of a minute's 10 s per round
        (0.1, 1000, 100),  # 10 s per round
        (30.0, 1000, 16),  # even the fewest take longer
        (30.0, 5, 5),
        (0.0, 1000, 1000),
    ],
)
def test_a_slow_embedder_gets_fewer_molecules(cost: float, size: int, expected: int) -> None:
    clock = FakeClock()
    limits = Limits(repeats=5, seconds=60)
    found = affordable(lambda count: clock.spend(cost * count), size, limits, clock=clock)
    assert found == expected


def test_trials_take_a_small_share_of_the_time() -> None:
    clock = FakeClock()
    limits = Limits(repeats=5, seconds=60)
    affordable(lambda count: clock.spend(0.002 * count), 100_000, limits, clock=clock)
    assert clock.now < 0.3 * 60


def test_a_count_that_is_given_is_taken_without_trials() -> None:
    asked: list[int] = []
    limits = Limits(repeats=5, seconds=60, count=70)
    assert affordable(asked.append, 100, limits, clock=FakeClock()) == 70
    assert affordable(asked.append, 50, limits, clock=FakeClock()) == 50
    assert asked == []
