"""What the tables say."""

from __future__ import annotations

import pytest

from molkd.benchmarks.speed import tables
from molkd.benchmarks.speed.comparison import compare
from molkd.benchmarks.speed.records import SpeedResults
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from tests.fakes.speed import cell

COLUMNS = tables.columns(BENCHMARKED["molecules"])
ROUNDS = {
    "base": (0.5, 0.5, 0.5),
    "total": (4.0, 5.0, 6.0),
    "parse": (0.5, 0.5, 0.5),
    "featurise": (2.0, 2.0, 2.0),
    "collate": (0.25, 0.25, 0.25),
    "network": (2.0, 2.25, 3.0),
}


def _table(*cells) -> list[dict[str, str]]:
    lines = tables.rows(SpeedResults({}, {}, cells))
    return [dict(zip(COLUMNS, line, strict=True)) for line in lines]


def test_a_row_holds_speed_ratio_parts_memory_and_start_up() -> None:
    (row,) = _table(cell("student", [1.0], rounds=ROUNDS))
    assert row == {
        "embedder": "student",
        "parameters": "1,234",
        "work": "embedding",
        "molecules": "100",
        "per s": "20.0",
        "us each": "50,000",
        "x RDKit": "10.0",
        "spread": "9.00-11.0",
        "parse": "1.00",
        "check": "",
        "featurise": "4.00",
        "collate": "0.50",
        "network": "4.50",
        "rest": "",
        "write": "",
        "start s": "2.5",
        "MB before": "300",
        "MB added": "20",
        "failed": "0",
        "note": "",
    }


def test_notes_say_what_was_not_measured_in_full() -> None:
    cut, failed, broken, trained = _table(
        cell(size=100_000),
        cell(failed=3, reason="too hard", parameters=None, added_mb=None),
        cell(ratios=None),
        cell(work="training", size=2048, count=1500),
    )
    assert cut["molecules"] == "100,000"
    assert cut["note"] == "measured on 100: no time for more"
    assert (failed["failed"], failed["note"]) == ("3", "first failure: too hard")
    assert (failed["parameters"], failed["MB added"]) == ("?", "?")
    assert broken["note"] == "failed: it raised"
    assert broken["per s"] == ""
    assert trained["note"] == "epochs of 1,500"


def test_what_grows_faster_than_the_library_is_said() -> None:
    results = SpeedResults(
        {},
        {},
        (
            cell("square", [2.0, 2.1, 1.9, 2.0], size=100),
            cell("square", [4.0, 4.1, 3.9, 4.0], size=1000, count=1000),
            cell("line", [2.0, 2.1, 1.9, 2.0], size=100),
            cell("line", [2.2, 2.3, 2.1, 2.2], size=1000, count=1000),
            cell("cut", [2.0] * 4, size=100),
            cell("cut", [9.0] * 4, size=1000, count=500),
            cell("broken", None, size=100),
        ),
    )
    (sentence,) = tables.growth(results)
    assert sentence == (
        "square costs more than in proportion to the library: 2.00 times as much per item at "
        "1,000 as at 100, relative to the plain library."
    )
    assert tables.failures(results) == ["broken, embedding of 100, failed: it raised"]


def test_markdown_has_machine_settings_table_and_notes() -> None:
    results = SpeedResults(
        {"processor": "abacus"}, {"reads": "molecules", "threads": 1}, (cell("a|b"), cell("c"))
    )
    page = tables.markdown(results, ["It was cold."])
    assert "- processor: abacus\n- reads: molecules\n- threads: 1\n" in page
    assert page.endswith("\n\nIt was cold.\n")
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert lines[2].startswith(r"| a\|b | 1,234 | embedding | 100 |")
    assert {line.replace(r"\|", "").count("|") for line in lines} == {len(COLUMNS) + 1}


@pytest.mark.parametrize(
    ("kind", "title"), [("molecules", "x RDKit"), ("texts", "x hashing"), ("images", "x Pillow")]
)
def test_titles_name_the_items_and_what_they_are_compared_with(kind: str, title: str) -> None:
    titles = tables.columns(BENCHMARKED[kind])
    assert kind in titles
    assert title in titles
    assert title in tables.legend(BENCHMARKED[kind])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00456, "0.0046"), (0.123, "0.12"), (12.34, "12.3"), (1234.5, "1,234"), (float("nan"), "-")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert tables.number(value) == text


def test_a_change_is_a_row() -> None:
    changes = compare([cell("a", [2.0] * 5)], [cell("a", [4.0] * 5)])
    (line,) = tables.change_rows(changes)
    assert dict(zip(tables.CHANGES, line, strict=True)) == {
        "embedder": "a",
        "work": "embedding",
        "items": "100",
        "old": "2.00",
        "new": "4.00",
        "new / old": "2.00",
        "spread": "2.00-2.00",
        "verdict": "slower",
        "note": "",
    }
