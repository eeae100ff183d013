"""Verdicts on made-up rounds."""

from __future__ import annotations

import math

import pytest

from molkd.benchmarks.speed.comparison import (
    compare,
    differing,
    refuse_incomparable,
    verdict,
    worse,
)
from molkd.errors import ConfigError
from tests.fakes.speed import cell

STEADY = [2.00, 2.01, 1.99, 2.02, 1.98]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (STEADY, [3.0, 3.1, 2.9, 3.0, 3.05], "slower"),
        ([3.0, 3.1, 2.9, 3.0, 3.05], STEADY, "faster"),
        (STEADY, [2.03, 2.04, 2.05, 2.06, 2.07], "no difference"),  # certain, and too small
        (STEADY, [1.0, 4.0, 2.0, 1.5, 5.0], "no difference"),  # large, and all noise
        (STEADY, [2.5, 2.6, 2.015, 2.7, 2.4], "slower"),  # one lucky round hides nothing
        ([2.0] * 3, [9.0] * 3, "too few rounds"),
        ([2.0], [9.0], "too few rounds"),
        ([2.0] * 5, [9.0] * 5, "slower"),  # ties
        ([2.0] * 5, [2.0] * 5, "no difference"),
    ],
)
def test_a_difference_must_be_certain_and_large(
    old: list[float], new: list[float], expected: str
) -> None:
    assert verdict(old, new) == expected


def test_the_quotient_is_new_over_old_with_its_spread() -> None:
    (change,) = compare([cell("a", STEADY)], [cell("a", [2 * one for one in STEADY])])
    assert change.quotient == pytest.approx(2.0)
    assert 1.95 < change.low < 2.0 < change.high < 2.05
    assert (change.old, change.new, change.verdict) == (2.0, 4.0, "slower")


def test_cells_are_matched_by_label_work_and_size() -> None:
    old = [cell("a", size=10), cell("a", work="training", size=10), cell("gone"), cell("both")]
    new = [cell("a", size=20), cell("a", work="training", size=10), cell("born"), cell("both")]
    found = {(one.label, one.work, one.size): one.verdict for one in compare(old, new)}
    assert found == {
        ("a", "embedding", 20): "only new",
        ("a", "training", 10): "no difference",
        ("born", "embedding", 100): "only new",
        ("both", "embedding", 100): "no difference",
        ("a", "embedding", 10): "only old",
        ("gone", "embedding", 100): "only old",
    }


def test_failures_are_told_apart() -> None:
    old = [cell("breaks"), cell("mends", None), cell("never", None)]
    new = [cell("breaks", None), cell("mends"), cell("never", None)]
    found = {one.label: one for one in compare(old, new)}
    assert {label: one.verdict for label, one in found.items()} == {
        "breaks": "failed",
        "mends": "only new",
        "never": "neither",
    }
    assert {one.note for one in found.values()} == {"it raised"}
    assert math.isnan(found["breaks"].quotient)


def test_worse_is_what_got_slower_by_more_than_the_limit_or_broke() -> None:
    old = [cell("twice"), cell("same"), cell("unsure"), cell("broke"), cell("never", None)]
    new = [
        cell("twice", [4.0] * 5),
        cell("same"),
        cell("unsure", [1.0, 9.0, 2.0, 9.0, 1.0]),
        cell("broke", None),
        cell("never", None),
    ]
    changes = compare(old, new)
    assert [one.label for one in worse(changes, 1.5)] == ["twice", "broke"]
    assert [one.label for one in worse(changes, 2.5)] == ["broke"]


def test_another_number_of_molecules_is_said() -> None:
    (change,) = compare([cell("a", count=50)], [cell("a", count=100)])
    assert change.note == "on 50 and 100 items"


def test_other_molecules_or_threads_cannot_be_compared() -> None:
    settings = {"digest": "x", "threads": 1, "device": "cpu", "seconds": 60}
    refuse_incomparable(settings, {**settings, "seconds": 5})
    for name in ("digest", "threads", "device"):
        with pytest.raises(ConfigError, match=f"baseline cannot be compared: {name}"):
            refuse_incomparable(settings, {**settings, name: "other"})


def test_another_machine_is_noticed_but_not_another_molkd() -> None:
    old = {"processor": "abacus", "molkd": "0.1"}
    assert differing(old, {"processor": "abacus", "molkd": "0.2"}) == []
    assert differing(old, {"processor": "loom", "molkd": "0.1"}) == ["processor"]
