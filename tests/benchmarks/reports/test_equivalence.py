"""The chapter about practical equivalence says what its probabilities say."""

from __future__ import annotations

import re

import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.reports import equivalence
from molkd.benchmarks.reports.document import Chapter
from molkd.benchmarks.statistics.equivalence import REGIONS, pairs
from tests.fakes import fake_results

LABELS = list(fake_results.EMBEDDERS)


def chapter_of(labels: list[str], reference: str, **widths: float) -> Chapter:
    results = fake_results.results(embedders=labels, seeds=2)
    (section,) = statistics.tables(results)
    comparison = statistics.compare(section.table, reference)
    roles = {record.label: record.role for record in results.embedders}
    (chapter,) = equivalence.chapters(section, comparison, roles, {**REGIONS, **widths}, "s")
    return chapter


def test_the_table_holds_the_chances_of_the_reference_and_counts_of_all() -> None:
    chapter = chapter_of(LABELS, "student-base")
    (section,) = statistics.tables(fake_results.results(embedders=LABELS, seeds=2))
    found = pairs(section, REGIONS)
    (grid,) = chapter.grids
    assert len(grid.rows) == len(LABELS)
    for name, *numbers in grid.rows:
        counts = [int(cell.text) for cell in numbers[3:]]
        assert sum(counts) == len(LABELS) - 1
        better = [o for o in LABELS if o != name.text and found[name.text, o].verdict == "better"]
        assert counts[0] == len(better)
        if name.text == "student-base":
            assert name.best
        else:
            look = found["student-base", name.text]
            chances = [look.better, look.equivalent, look.worse]
            assert [cell.text for cell in numbers[:3]] == list(map(equivalence.chance, chances))


def test_sentences_name_what_is_sure_and_what_is_open() -> None:
    points = chapter_of(["student-base", "hu-gat-contextpred"], "student-base").points
    assert points == (
        "student-base is better than hu-gat-contextpred (> .99), by more than the region.",
    )
    wide = {"AUROC": 0.2, "Spearman": 0.2}
    points = chapter_of(["student-base", "untrained:base", "hu-gat-contextpred"], "student-base")
    alike = chapter_of(["student-base", "untrained:base"], "student-base", **wide).points
    assert alike == ("student-base and untrained:base are practically equivalent: > .99.",)
    assert re.match(
        r"Of 3 pairs of embedders, with a probability of \.90 or more", points.points[-1]
    )


def test_open_pairs_show_all_three_chances() -> None:
    labels = ["student-base", "ecfp4+rdkit-descriptors"]
    (point,) = chapter_of(labels, "student-base").points
    assert re.fullmatch(
        r"student-base against ecfp4\+rdkit-descriptors is open: better \.\d\d, "
        r"equivalent \.\d\d, worse (\.\d\d|< \.01)\.",
        point,
    )


def test_of_many_the_least_sure_are_named() -> None:
    labels = ["student-base", *(f"other-{number}" for number in range(14))]
    first = chapter_of(labels, "student-base").points[0]
    assert re.match(r"student-base is better than 14 others, least surely other-\d", first)
    assert first.count("other-") == 6


def test_the_regions_are_stated() -> None:
    lead = chapter_of(LABELS[:2], "student-base", AUROC=0.005).lead
    assert "below .02 Spearman and .005 AUROC is taken for none" in lead


def test_one_embedder_alone_has_no_chapter() -> None:
    (section,) = statistics.tables(fake_results.results(embedders=["maccs"]))
    comparison = statistics.compare(section.table, "maccs")
    assert not list(equivalence.chapters(section, comparison, {}, REGIONS, "s"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "< .01"), (0.004, "< .01"), (0.005, ".01"), (0.93, ".93"), (1.0, "> .99")],
)
def test_chances_are_never_certain(value: float, text: str) -> None:
    assert equivalence.chance(value) == text
