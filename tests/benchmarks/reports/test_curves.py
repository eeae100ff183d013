"""Chapters and figures of learning curves."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from molkd.benchmarks import reports
from molkd.benchmarks.reports import curve_plot, curves, markdown, panels
from molkd.benchmarks.reports.document import Chapter, Document
from molkd.benchmarks.statistics import curves as statistics
from molkd.benchmarks.statistics.curves import Curve
from tests.benchmarks.statistics.test_curves import results

SVG = "{http://www.w3.org/2000/svg}"
ROLES = {"a": "student", "b": "teacher"}
LARGE, SMALL = (10, 100, 1000), (10, 100)


def chapter() -> Chapter:
    given = results({"t": LARGE, "small": SMALL, "u": LARGE}, probes=("linear", "knn"))
    (found,) = curves.chapters(given, ROLES, "a")
    return found


def cells(part: Chapter, grid: int) -> list[list[str]]:
    return [[cell.text for cell in row] for row in part.grids[grid].rows]


def test_a_chapter_has_one_figure_and_a_part_per_panel() -> None:
    found = chapter()
    assert found.title == "g: learning curves, given split"
    (picture,) = found.pictures
    titles = ["linear, 3 tasks", "linear, 2 tasks", "knn, 3 tasks", "knn, 2 tasks"]
    assert [panel.title for panel in picture.panels] == titles
    assert [panel.title for panel in picture.narrow] == titles
    assert [part.title for part in found.parts] == [
        f"{probe} probe, {tasks}"
        for probe in ("linear", "knn")
        for tasks in ("3 tasks with 100 labels", "2 tasks with 1,000 labels")
    ]


def test_tables_hold_means_floor_and_differences() -> None:
    part = chapter().parts[1]
    assert [cell.text for cell in part.grids[0].header] == ["embedder", "10", "100", "1,000"]
    assert cells(part, 0) == [
        ["a", *(f"{m} ({m} to {m})" for m in ("0.400", "0.500", "0.600"))],
        ["b", *(f"{m} ({m} to {m})" for m in ("0.200", "0.300", "0.400"))],
        ["floor", "0.000", "0.000", "0.000"],
    ]
    assert cells(part, 1) == [["b", *["+0.200 (+0.200 to +0.200)"] * 3]]


def test_sentences_name_leaders_floor_and_absent_tasks() -> None:
    points = chapter().parts[1].points
    assert points == (
        "With 10 labelled rows a has the best mean score, .400; the floor has .000.",
        "With 1,000 labelled rows a has the best mean score, .600; the floor has .000.",
        (
            "Not among these tasks, for they lack 1,000 labelled rows or a score of every "
            "embedder: small."
        ),
    )


def test_who_is_not_shown_to_be_above_the_floor_is_named() -> None:
    given = results({"t": SMALL, "u": SMALL})
    lost = [
        replace(s, test={"Spearman": -0.1})
        if (s.embedder, s.task, s.labelled, s.probe) == ("b", "u", 10, "linear")
        else s
        for s in given.scores
    ]
    (found,) = curves.chapters(replace(given, scores=tuple(lost)), ROLES, "a")
    named = [point for point in found.parts[0].points if "not shown" in point]
    assert named == ["With 10 labelled rows not shown to be above the floor: b."]


def test_one_embedder_on_one_task_has_a_chapter() -> None:
    given = results({"t": SMALL})
    alone = tuple(score for score in given.scores if score.embedder == "b")
    (found,) = curves.chapters(replace(given, scores=alone), ROLES, "a")
    text = markdown.render(Document("title", (), (found,)))
    assert "1 task with 100 labels" in text
    assert "| b | **0.200** | **0.300** |" in text


def curve(count: int) -> Curve:
    """Embedders whose lines end close to each other."""
    (one,) = statistics.curves(results({"t": SMALL, "u": SMALL}))
    values = np.linspace(0.5, 0.51, count)[np.newaxis, :, np.newaxis] + np.zeros((2, 1, 2))
    return replace(one, embedders=tuple(f"embedder {i}" for i in range(count)), values=values)


@pytest.mark.parametrize("narrow", [False, True])
def test_every_line_is_named_and_no_name_covers_another(narrow: bool) -> None:
    many = curve(30)
    roles = dict.fromkeys(many.embedders, "teacher")
    panel = curve_plot.panel(many, roles, "embedder 3", narrow=narrow)
    root = ET.fromstring(panels.svg(panel, "name"))  # noqa: S314 (ours)
    heights = [
        float(re.findall(r"-?[\d.]+", element.get("transform", ""))[2])
        for element in root.iter(f"{SVG}text")
        if (element.text or "").startswith("embedder")
    ]
    assert len(heights) == 30
    assert min(np.diff(sorted(heights))) > 10
    assert max(heights) <= panel.height
    assert "floor: mean of the labels" in {element.text for element in root.iter(f"{SVG}text")}
    tips = [element.text for element in root.iter(f"{SVG}title")]
    assert "embedder 29: 0.510 with 100 labels" in tips


def test_a_report_holds_the_chapter_and_its_figure(tmp_path: Path) -> None:
    given = results({"t": LARGE, "u": LARGE})
    reports.write(tmp_path, given)
    assert "## g: learning curves, given split" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "curves-1.png").is_file()
    assert "| seed | 3 |" not in (tmp_path / "report.md").read_text()
