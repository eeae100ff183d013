"""Figures show every mark where its number says, and no name leaves the drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.reports import dot_plot, panels, ranks, tradeoff
from molkd.benchmarks.reports.official import Line, MeanScore
from molkd.benchmarks.reports.tradeoff import Point
from molkd.benchmarks.statistics import ScoreTable

SVG = "{http://www.w3.org/2000/svg}"


def drawn(panel: panels.Panel) -> ET.Element:
    return ET.fromstring(panels.svg(panel, "name"))  # noqa: S314 (ours)


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def thick_lines(root: ET.Element) -> list[str]:
    return [
        p.get("d", "") for p in root.iter(f"{SVG}path") if "stroke-width: 3" in p.get("style", "")
    ]


def comparison(values: np.ndarray, names: list[str]) -> statistics.Comparison:
    tasks = tuple(f"t{i}" for i in range(len(values)))
    return statistics.compare(ScoreTable(tasks, tuple(names), values[:, :, None]), names[0])


def test_ranks_stand_best_first_and_what_cannot_be_told_apart_is_joined() -> None:
    names = ["bad", "best", "good", "worst"]
    rng = np.random.default_rng(0)
    values = np.array([0.2, 0.9, 0.897, 0.1]) + rng.normal(0, 0.02, size=(40, 4))
    found = comparison(values, names)
    root = drawn(ranks.panel(found, dict.fromkeys(names, "teacher"), 40))
    assert [text for text in texts(root) if text in names] == ["best", "good", "bad", "worst"]
    groups = statistics.cliques(found.ranks, found.critical_difference or 0)
    assert groups == [("best", "good")]
    assert len(thick_lines(root)) == 1
    assert f"critical difference {found.critical_difference:.2f}" in texts(root)
    assert f"{found.ranks['best']:.2f}" in texts(root)


def test_two_embedders_have_no_critical_difference() -> None:
    found = comparison(np.array([[0.1, 0.2], [0.3, 0.2], [0.1, 0.5]]), ["a", "b"])
    root = drawn(ranks.panel(found, {"a": "student", "b": "baseline"}, 3))
    assert thick_lines(root) == []
    assert not any("critical" in text for text in texts(root))


def test_a_single_embedder_has_a_diagram() -> None:
    found = comparison(np.array([[0.1], [0.3]]), ["a"])
    assert "a" in texts(drawn(ranks.panel(found, {"a": "student"}, 2)))


def line(**scores: tuple[float, float | None]) -> Line:
    return Line("task", "MAE", 1, 10, {name: MeanScore(*score) for name, score in scores.items()})


def marks(root: ET.Element) -> dict[str, tuple[float, str]]:
    """Label -> x of its mark, and its fill."""
    found: dict[str, tuple[float, str]] = {}
    for group in root.iter(f"{SVG}g"):
        title, path = group.find(f"{SVG}title"), group.find(f"{SVG}path")
        if title is not None and path is not None:
            numbers = [float(word) for word in path.get("d", "").split() if word[-1].isdigit()]
            label = (title.text or "").partition(":")[0]
            fill = "hollow" if "fill: var(--card)" in path.get("style", "") else "full"
            found[label] = (sum(numbers[::2]) / len(numbers[::2]), fill)
    return found


def test_marks_stand_in_the_order_of_the_scores() -> None:
    scores = line(a=(0.1, 0.01), b=(0.3, 0.02), c=(0.2, None))
    root = drawn(
        dot_plot.panel(scores, ["a", "b", "c", "absent"], dict.fromkeys("abc", "teacher"), "a")
    )
    places = {name: x for name, (x, _) in marks(root).items()}
    assert sorted(places, key=lambda name: places[name]) == ["a", "c", "b"]
    assert (places["c"] - places["a"]) == pytest.approx(places["b"] - places["c"], abs=0.5)
    assert "absent" in texts(root)
    assert "MAE, lower is better; 10 molecules" in texts(root)


def test_a_score_far_off_does_not_squeeze_the_others() -> None:
    near = {f"e{i}": (0.5 + i / 100, 0.001) for i in range(6)}
    names = [*near, "far"]
    root = drawn(
        dot_plot.panel(line(**near, far=(250.0, 3.0)), names, dict.fromkeys(names, "teacher"), "e0")
    )
    found = marks(root)
    assert found["e5"][0] - found["e0"][0] > 50
    assert found["far"][1] == "hollow"
    assert {fill for name, (_, fill) in found.items() if name != "far"} == {"full"}
    assert " 250 " in texts(root) or "250" in [text.strip() for text in texts(root)]


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_equal_scores_have_an_axis(value) -> None:
    names = ["a", "b"]
    root = drawn(
        dot_plot.panel(
            line(a=(value, 0.0), b=(value, None)), names, dict.fromkeys("ab", "student"), "a"
        )
    )
    assert len(marks(root)) == 2


def points(count: int) -> list[Point]:
    rng = np.random.default_rng(1)
    return [
        Point(f"an-embedder-{i}", "teacher", 10 ** rng.uniform(1, 5), rng.uniform(0.6, 0.8), 10**6)
        for i in range(count)
    ]


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("count", [1, 2, 8, 30])
def test_all_marks_are_on_the_drawing_and_names_do_not_leave_it(count, narrow) -> None:
    panel = tradeoff.panel(points(count), "an-embedder-0", narrow=narrow)
    root = drawn(panel)
    found = marks(root)
    assert sum(name.startswith("an-embedder") for name in found) == count
    assert all(0 < x < panel.width for x, _ in found.values())
    for text in root.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x", "nan")) <= panel.width


def test_the_front_holds_what_nothing_is_faster_and_better_than() -> None:
    fast, good = Point("f", "teacher", 1e4, 0.5, 0), Point("g", "student", 10.0, 0.9, None)
    middle, beaten = Point("m", "teacher", 1e3, 0.7, 0), Point("b", "baseline", 900.0, 0.6, 0)
    assert tradeoff._front([beaten, fast, good, middle]) == [good, middle, fast]


def test_marks_grow_with_the_number_of_weights() -> None:
    sizes = [tradeoff.diameter(count) for count in (0, 10**5, 10**6, 10**7)]
    assert sizes == sorted(sizes)
    assert sizes[0] == sizes[1] == tradeoff.diameter(None)
