"""Quality against the number of teachers: which embedders make a curve, and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports import panels, teachers_curve
from molkd.benchmarks.reports.document import Chapter
from molkd.benchmarks.reports.equivalence import chance
from molkd.benchmarks.reports.tables import NONE
from molkd.benchmarks.statistics import equivalence
from molkd.benchmarks.statistics.equivalence import REGIONS
from tests.fakes import fake_results

# from bad to good, by `fake_results.EMBEDDERS`
SPECS = {
    "hu-gat-contextpred": "pca:512:a",
    "hu-gin-supervised-masking": "pca:512:a+b",
    "oracle (PCA of all teachers)": "pca:512:a+b+c+d",
    "ecfp4-counts": "pca:512:e+b",
    "chemberta-77m-mtr": "pca:64:a+b+c",
    "rdkit-descriptors": "a",
    "untrained:base": "untrained:base",
}


def results_of(specs: dict[str, str]) -> Results:
    results = fake_results.results(embedders=list(specs), seeds=2)
    made = tuple(replace(record, spec=specs[record.label]) for record in results.embedders)
    return replace(results, embedders=made)


def chapters_of(results: Results) -> list[Chapter]:
    (section,) = statistics.tables(results)
    comparison = statistics.compare(section.table, section.table.embedders[0])
    records = {record.label: record for record in results.embedders}
    return list(teachers_curve.chapters(section, comparison, records, REGIONS, "s"))


def test_a_curve_is_the_longest_chain_of_nested_sources_of_one_kind() -> None:
    (chapter,) = chapters_of(results_of(SPECS))
    (grid,) = chapter.grids
    assert [[cell.text for cell in row[:3]] for row in grid.rows] == [
        ["hu-gat-contextpred", "side by side on 512 components", "1"],
        ["hu-gin-supervised-masking", "side by side on 512 components", "2"],
        ["oracle (PCA of all teachers)", "side by side on 512 components", "4"],
    ]
    assert [row[5].text for row in grid.rows] == ["a", "b", "c, d"]
    means = [float(row[3].text) for row in grid.rows]
    assert float(grid.rows[2][6].text) == pytest.approx(means[2] - means[1], abs=0.0011)
    assert [cell.text for cell in grid.rows[0][6:]] == [NONE] * 4
    (section,) = statistics.tables(results_of(SPECS))
    look = equivalence.between(section, REGIONS, "hu-gin-supervised-masking", "hu-gat-contextpred")
    chances = [look.better, look.equivalent, look.worse]
    assert [cell.text for cell in grid.rows[1][7:]] == list(map(chance, chances))


def test_the_sentence_says_where_it_ends_and_what_brought_most() -> None:
    (chapter,) = chapters_of(results_of(SPECS))
    (point,) = chapter.points
    assert point == (
        "Side by side on 512 components: from 0.713 with 1 model to 0.799 with 4; c and d brought "
        "most, +0.058."
    )
    assert "then it falls" not in point


def test_a_curve_that_falls_says_where_its_best_is() -> None:
    labels = ["hu-gat-contextpred", "student-base", "chemberta-77m-mtr"]
    specs = dict(zip(labels, ["pca:9:a", "pca:9:a+b", "pca:9:a+b+c"], strict=True))
    (chapter,) = chapters_of(results_of(specs))
    assert "with 2, then it falls; b brought most" in chapter.points[0]


def test_students_of_nested_teachers_make_a_curve() -> None:
    results = results_of({"hu-gat-contextpred": "a", "student-base": "b", "maccs": "c"})
    nested = [("a",), ("a", "b"), ("a", "b", "c")]
    made = [
        replace(record, role="student", spec=f"molkd:{place}", sources=nested[place])
        for place, record in enumerate(results.embedders)
    ]
    (chapter,) = chapters_of(replace(results, embedders=tuple(made)))
    assert {row[1].text for row in chapter.grids[0].rows} == {"students"}


def test_the_figure_is_drawn_for_both_widths() -> None:
    (chapter,) = chapters_of(results_of(SPECS))
    (picture,) = chapter.pictures
    assert picture.name == "teachers-curve-s"
    for panel, width in ((picture.panels[0], 560), (picture.narrow[0], 330)):
        assert panel.width == width
        drawn = panels.svg(panel, "n")
        assert drawn.count("models</title>") + drawn.count("model</title>") == 3


def test_two_embedders_are_no_curve() -> None:
    specs = {"hu-gat-contextpred": "pca:9:a", "student-base": "pca:9:a+b", "maccs": "pca:9:c"}
    assert chapters_of(results_of(specs)) == []
