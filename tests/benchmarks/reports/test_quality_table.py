"""Quality against speed against size: rows by label, and published figures marked as such."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from molkd.benchmarks import reports
from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports.tables import NONE
from molkd.benchmarks.statistics.published import Published
from molkd.errors import ConfigError, UnknownNameError
from tests.fakes import fake_results

LABELS = ["student-base", "ecfp4-counts", "chemberta-77m-mtr"]
TASKS = ["ames", "herg", "caco2_wang", "vdss_lombardo"]


def results(embedders: list[str] = LABELS, probes: tuple[str, ...] = ("linear", "knn")) -> Results:
    """The scores of validation rows are those of the test rows."""
    given = fake_results.results(tasks=TASKS, embedders=embedders, seeds=2, probes=probes)
    return replace(given, scores=tuple(replace(s, valid=s.test) for s in given.scores))


def figure(task: str, metric: str, value: float, source: str = "MolE") -> Published:
    return Published(
        source=source, group="tdc-admet", task=task, metric=metric, value=value, sd=None, note=""
    )


def rows(text: str) -> dict[str, list[str]]:
    """First cell -> other cells; the header under ""."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    header, _, *others = lines
    return {"": header[1:], **{line[0]: line[1:] for line in others}}


def test_rows_are_chosen_by_label_and_ranked_among_all() -> None:
    digest = results().embedders[0].digest
    costs = {"student-base": EmbeddingCost(digest, 512.4, 200, 6.59)}
    text = reports.table(results(), ["student-base", "ecfp4-counts"], costs=costs)
    assert text.startswith("tdc-admet, chosen (linear, knn) probe, given split: means over tasks")
    found = rows(text)
    assert list(found)[1:] == ["student-base", "ecfp4-counts"]
    assert found[""] == [
        *("dim", "MB", "per second", "AUROC (2 tasks)", "Spearman (2 tasks)", "mean rank of 3"),
    ]
    assert found["student-base"][:3] == ["512", "6.6", "512"]
    assert found["ecfp4-counts"][:3] == ["2,048", "unknown", "unknown"]
    assert found["student-base"][3].startswith("**")
    assert list(rows(reports.table(results())))[1:] == [*rows(reports.table(results(), LABELS))][1:]


def test_published_figures_are_marked_and_stand_beside_ours_on_the_same_tasks() -> None:
    others = [
        figure("ames", "AUROC", 0.9),
        figure("herg", "AUROC", 0.8),
        figure("ames", "AUROC", 0.7, "Other"),
        figure("caco2_wang", "MAE", 0.3),
        figure("vdss_lombardo", "Spearman", 0.6),
    ]
    found = rows(reports.table(results(), published=others))
    assert found[""][6:] == ["published: AUROC (1 task)", "published: Spearman (1 task)"]
    assert found["published: MolE"] == [*[NONE] * 6, "0.900", "0.600"]
    assert found["published: Other"] == [*[NONE] * 6, "0.700", NONE]
    assert re.fullmatch(r"0\.\d{3}", found["student-base"][6])
    some = rows(reports.table(results(), ["student-base", "MolE"], published=others))
    assert list(some)[1:] == ["student-base", "published: MolE"]


def test_the_section_is_that_of_most_candidates_that_asked_all() -> None:
    given = results(probes=("linear", "knn", "forest"))
    scores = [s for s in given.scores if s.probe != "forest" or s.embedder != LABELS[2]]
    given = replace(given, scores=tuple(scores))
    assert "chosen (linear, knn, forest)" in reports.table(given, LABELS[:2])
    assert "chosen (linear, knn) " in reports.table(given, LABELS[1:])
    assert "linear probe" in reports.table(results(probes=("linear",)))


def test_what_cannot_be_shown_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"'student-bas'.*Did you mean 'student-base'"):
        reports.table(results(), ["student-bas"])
    with pytest.raises(UnknownNameError, match=r"no scores of 'tdc'"):
        reports.table(results(), group="tdc")
    given = results(probes=("linear",))
    scores = tuple(s for s in given.scores if s.embedder != LABELS[2])
    with pytest.raises(ConfigError, match=r"asked all of student-base, chemberta-77m-mtr"):
        reports.table(replace(given, scores=scores), [LABELS[0], LABELS[2]])
