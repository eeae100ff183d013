"""The first chapter: every section's figures in one table, and who wins."""

from __future__ import annotations

from dataclasses import replace

from molkd.benchmarks import statistics
from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports import overview
from molkd.benchmarks.reports.document import Chapter
from tests.fakes import fake_results

LABELS = ["ecfp4-counts", "student-base", "chemberta-77m-mtr", "untrained:base"]
COSTS = {
    "student-base": EmbeddingCost("d", 512.4, 200, 6.59),
    "ecfp4-counts": EmbeddingCost("d", 3.27, 75, 0.0),
    "untrained:base": EmbeddingCost("d", None, 0, None),
}


def chapter_of(results: Results, costs: dict[str, EmbeddingCost] | None = None) -> Chapter:
    sections = statistics.tables(results)
    compared = [(s, statistics.compare(s.table, s.table.embedders[0])) for s in sections]
    (chapter,) = overview.chapters(compared, results.embedders, costs or {})
    return chapter


def test_each_section_has_its_mean_and_rank_with_the_best_in_bold() -> None:
    results = fake_results.results(
        embedders=LABELS, probes=("linear", "knn"), seeds=2, extra=[fake_results.cliffs()]
    )
    sections = statistics.tables(results)
    (grid,) = chapter_of(results).grids
    assert [title for title, _ in grid.spans][1:] == [
        "tdc-admet, linear, given split: 22 tasks, 4 ranks",
        "tdc-admet, knn, given split: 22 tasks, 4 ranks",
        "moleculeace, linear, scaffold split: 1 task, 4 ranks",
        "moleculeace, knn, scaffold split: 1 task, 4 ranks",
    ]
    for place, section in enumerate(sections):
        comparison = statistics.compare(section.table, LABELS[0])
        for row in grid.rows:
            mean, rank = row[2 + 2 * place : 4 + 2 * place]
            assert mean.text == f"{comparison.means[row[0].text]:.3f}"
            assert rank.text == f"{comparison.ranks[row[0].text]:.2f}"
            assert rank.best == (comparison.ranks[row[0].text] == min(comparison.ranks.values()))


def test_who_wins_is_said_once_for_all_and_once_per_section() -> None:
    results = fake_results.results(embedders=LABELS, probes=("linear", "knn"), seeds=2)
    first, *others = chapter_of(results).points
    assert first == "Of 2 sections, the best mean rank has student-base in 2."
    assert len(others) == 2
    assert others[0].startswith(
        "tdc-admet, linear probe, given split: student-base wins with a mean rank of 1."
    )
    assert others[0].endswith("; by rank all others are worse for sure.")


def test_a_lead_that_rank_alone_does_not_show_is_called_so() -> None:
    labels = ["student-base", "ecfp4+rdkit-descriptors", "oracle (PCA of all teachers)"]
    (point,) = chapter_of(fake_results.results(embedders=labels, seeds=2)).points
    assert point.endswith("of 2 others may be as good.")


def test_a_section_of_few_embedders_counts_for_no_place_among_all() -> None:
    results = fake_results.results(embedders=LABELS, probes=("linear", "knn"), seeds=2)
    asked = {"chemberta-77m-mtr", "student-base"}
    few = replace(
        results,
        scores=tuple(s for s in results.scores if s.probe == "linear" or s.embedder in asked),
    )
    alone = replace(results, scores=tuple(s for s in results.scores if s.probe == "linear"))
    chapter = chapter_of(few)
    names = [[row[0].text for row in chapter_of(one).grids[0].rows] for one in (few, alone)]
    assert names[0] == names[1]
    assert not any(point.startswith("Of 2 sections") for point in chapter.points)
    assert "; no other was asked" in chapter.points[1]


def test_what_embedders_cost_stands_beside() -> None:
    (grid,) = chapter_of(fake_results.results(embedders=LABELS, seeds=1), COSTS).grids
    assert [cell.text for cell in grid.header[:4]] == [
        "embedder",
        "dim",
        "per second and core",
        "MB",
    ]
    costs = {row[0].text: [cell.text for cell in row[2:4]] for row in grid.rows}
    assert costs == {
        "student-base": ["512", "6.6"],
        "ecfp4-counts": ["3.3", "0"],
        "untrained:base": ["unknown", "unknown"],
        "chemberta-77m-mtr": ["unknown", "unknown"],
    }


def test_one_embedder_wins_nothing() -> None:
    results = fake_results.results(embedders=["maccs"], seeds=1)
    (section,) = statistics.tables(results)
    compared = [(section, statistics.compare(section.table, "maccs"))]
    assert not list(overview.chapters(compared, results.embedders, {}))
