"""Splits side by side: one compact table, and who suffers."""

from __future__ import annotations

from pathlib import Path

from molkd.benchmarks import reports, statistics
from molkd.benchmarks.reports import splits
from tests.benchmarks.statistics.test_across_splits import results

ROLES = {"a": "student", "b": "teacher", "c": "teacher"}


def test_one_table_has_means_and_ranks_of_every_split() -> None:
    (chapter,) = splits.chapters(statistics.tables(results()), ROLES)
    assert chapter.title == "g: linear, splits side by side"
    (grid,) = chapter.grids
    assert grid.spans == (("", 1), ("given", 2), ("cluster", 2))
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["a", "0.700", "1.00", "0.533", "2.00"],
        ["b", "0.600", "2.00", "0.633", "1.00"],
        ["c", "0.500", "3.00", "0.433", "3.00"],
    ]
    best = [[cell.best for cell in row] for row in grid.rows]
    assert best[0] == [False, True, True, False, False]
    assert best[1] == [False, False, False, True, True]


def test_sentences_say_who_falls_and_who_leads() -> None:
    (chapter,) = splits.chapters(statistics.tables(results()), ROLES)
    assert chapter.points == (
        (
            "From given to cluster, a changes by -.167 (95 % -.300 to .100), the least favourable, "
            "and b by .033 (95 % -.100 to .300), the most favourable."
        ),
        "Under cluster b has the best mean rank, 1.00 (under given: 2.00).",
    )


def test_a_report_has_a_section_per_split_and_the_table(tmp_path: Path) -> None:
    reports.write(tmp_path, results())
    text = (tmp_path / "report.md").read_text()
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "## Who wins",
        "## g: linear probe, given split",
        "## g: linear probe, cluster split",
        "## Contamination",
        "## g: linear, splits side by side",
        "## What this rests on",
    ]
