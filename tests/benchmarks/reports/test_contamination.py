"""The chapter about what teachers have seen: whom it names, and ranks without those tasks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports import contamination
from molkd.benchmarks.reports.document import Chapter, Grid
from molkd.benchmarks.reports.tables import NONE
from tests.fakes import fake_results

TASKS = ["ames", "cyp2c9_veith", "cyp2d6_veith", "dili", "ppbr_az", "herg"]
SOURCES = {
    "student-base": ("maccs", "minimol"),
    "ecfp4-counts": ("ecfp4-count",),
    "chemberta-77m-mtr": ("chemnet",),
    "untrained:base": (),
}


def results_of(sources: dict[str, tuple[str, ...]], tasks: list[str] = TASKS) -> Results:
    results = fake_results.results(tasks=tasks, embedders=list(sources), seeds=2)
    records = tuple(
        replace(record, sources=sources[record.label], spec="untrained:x")
        for record in results.embedders
    )
    return replace(results, embedders=records)


def chapter_of(results: Results) -> Chapter:
    (chapter,) = contamination.chapters(results, statistics.tables(results))
    return chapter


def rows_of(grid: Grid) -> dict[str, list[str]]:
    return {row[0].text: [cell.text for cell in row[1:]] for row in grid.rows}


def test_teachers_are_tabled_with_the_tasks_whose_labels_they_may_have_seen() -> None:
    rows = rows_of(chapter_of(results_of(SOURCES)).grids[0])
    assert list(rows) == ["minimol", "chemnet", "maccs, ecfp4-count"]
    assert rows["minimol"][:2] == ["PubChem", "PubChem AID 1851 (Veith): 2"]
    assert rows["chemnet"][:2] == [
        "ChEMBL, PubChem",
        "PubChem AID 1851 (Veith): 2, AstraZeneca's deposit in ChEMBL: 1",
    ]
    assert rows["maccs, ecfp4-count"][:4] == ["nothing"] * 4


def test_a_student_has_seen_what_its_teachers_have() -> None:
    assert chapter_of(results_of(SOURCES)).points == (
        "Labels from PubChem AID 1851 (Veith): cyp2c9_veith and cyp2d6_veith.",
        "Labels from AstraZeneca's deposit in ChEMBL: ppbr_az.",
        "student-base may have seen labels of PubChem through minimol.",
    )


def test_figures_with_and_without_are_those_of_the_tasks() -> None:
    results = results_of(SOURCES)
    (section,) = statistics.tables(results)
    (part,) = chapter_of(results).parts
    (grid,) = part.grids
    rows = rows_of(grid)
    assert [title for title, _ in grid.spans] == [
        "",
        "all (6)",
        "without (3)",
        "PubChem AID 1851 (Veith) (2)",
        "AstraZeneca's deposit in ChEMBL (1)",
    ]
    clean = [section.table.tasks.index(name) for name in ("ames", "dili", "herg")]
    means = section.table.means[clean]
    for column, label in enumerate(section.table.embedders):
        rank = np.mean([(row > row[column]).sum() + 1 for row in means])
        assert rows[label][3:5] == [f"{means[:, column].mean():.3f}", f"{rank:.2f}"]
    marked = {label for label, cells in rows.items() if cells[5].endswith("†")}
    assert marked == {"student-base", "chemberta-77m-mtr"}
    assert rows["chemberta-77m-mtr"][7].endswith("†")  # ChEMBL, which minimol has not seen
    assert not rows["student-base"][7].endswith("†")
    assert part.points[0].startswith("student-base has the best mean rank on all 6 tasks, and")


def test_a_section_of_such_tasks_alone_says_that_none_is_left() -> None:
    (part,) = chapter_of(results_of(SOURCES, ["cyp2c9_veith", "ppbr_az"])).parts
    assert part.points == (
        "The labels of every task come from such a collection: no task is left without.",
    )
    assert {tuple(cells[3:5]) for cells in rows_of(part.grids[0]).values()} == {(NONE, NONE)}


def test_what_nobody_has_described_is_unknown_not_clean() -> None:
    chapter = chapter_of(results_of({"student-base": ("theirs",), "maccs": ("maccs",)}))
    assert rows_of(chapter.grids[0])["theirs"][:4] == ["unknown"] * 4
    assert chapter.points[-1] == (
        "Nobody has said what student-base was trained on: unknown is not none."
    )
    (part,) = chapter.parts
    assert rows_of(part.grids[0])["student-base"][0] == "unknown"


@pytest.mark.parametrize("sources", [{"maccs": ("maccs",)}, {"untrained:base": ()}])
def test_what_was_not_trained_needs_no_chapter(sources: dict[str, tuple[str, ...]]) -> None:
    results = results_of(sources)
    assert not list(contamination.chapters(results, statistics.tables(results)))


def test_old_files_name_their_sources_by_what_embedders_were_made_from() -> None:
    results = results_of(SOURCES)
    old = [replace(r, sources=(), spec="pca:64:maccs+minimol") for r in results.embedders]
    chapter = chapter_of(replace(results, embedders=tuple(old)))
    assert list(rows_of(chapter.grids[0])) == ["minimol", "maccs"]
