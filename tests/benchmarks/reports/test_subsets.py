"""Cliffs apart: all, subset and rest in one table, and what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from molkd.benchmarks import reports
from molkd.benchmarks.reports import subsets
from molkd.benchmarks.reports.official import with_ends
from molkd.benchmarks.statistics.significance import intervals
from molkd.benchmarks.statistics.subsets import subsets as measured
from tests.benchmarks.statistics.test_subsets import results

ROLES = {"a": "student", "b": "teacher"}


def test_the_table_has_intervals_over_tasks_best_on_the_subset_first() -> None:
    given = results()
    (chapter,) = subsets.chapters(given, ROLES, "a")
    assert chapter.title == "g: cliffs apart, linear, given split"
    (grid,) = chapter.grids
    titles = ["embedder", "all", "cliffs", "the rest", "cliffs less the rest"]
    assert [cell.text for cell in grid.header] == titles
    (found,) = measured(given)
    ends = intervals(found.within, seed=0)
    assert ends is not None
    rows = [[cell.text for cell in row] for row in grid.rows]
    assert [row[0] for row in rows] == ["a", "b"]
    assert rows[0][2] == with_ends(found.within.mean(axis=0)[0], ends[:, 0])
    assert all(row[4].startswith("+") for row in rows)


def test_sentences_say_who_is_best_where() -> None:
    given = results()
    (chapter,) = subsets.chapters(given, ROLES, "a")
    (found,) = measured(given)
    means = found.within.mean(axis=0)
    assert chapter.points[0].startswith(
        f"On cliffs a has the best mean RMSE, {means[0]:.3f}".replace("0.", ".")
    )
    assert chapter.points[1].startswith("On the rest a has the best mean RMSE")
    assert chapter.points[-1] == "On cliffs a is not shown to be better or worse than b."


def test_an_unknown_rest_is_a_dash_and_a_remedy() -> None:
    given = results()
    older = tuple(replace(s, rows={"train": 1, "valid": 1, "test": 100}) for s in given.scores)
    (chapter,) = subsets.chapters(replace(given, scores=older), ROLES, "a")
    assert [cell.text for cell in chapter.grids[0].rows[0]][3:] == ["\N{EN DASH}"] * 2
    assert any("The same command run again adds it" in point for point in chapter.points)


def test_a_report_holds_the_chapter(tmp_path: Path) -> None:
    reports.write(tmp_path, results())
    assert "## g: cliffs apart, linear, given split" in (tmp_path / "report.md").read_text()
