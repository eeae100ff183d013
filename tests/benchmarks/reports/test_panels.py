"""Drawings: words stay text, colours have contrast, labels stay apart."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.palette import DARK, LIGHT, SHAPES
from molkd.benchmarks.reports.panels import Panel
from tests.fakes.fake_results import HOSTILE


def panel(words: str = "plain", tip: str = "") -> Panel:
    def draw(axes) -> None:
        panels.line(axes, [0, 90], [10, 10], "line", 1)
        panels.text(axes, 5, 20, words, color="muted")
        for place, role in enumerate(SHAPES):
            panels.mark(axes, 10 + 20 * place, 40, role, tip=tip)

    return Panel(words, "what is seen", 100, 60, draw)


def test_svg_keeps_text_as_text_and_escapes_it() -> None:
    root = ET.fromstring(panels.svg(panel(HOSTILE, tip=HOSTILE), "name"))  # noqa: S314 (ours)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert texts == [HOSTILE]
    assert titles == [HOSTILE] * 4  # of the panel and of three marks


def test_every_colour_of_a_svg_is_a_variable_of_the_page() -> None:
    drawn = panels.svg(panel(), "name")
    assert re.findall(r"#[0-9a-f]{6}", drawn) == []
    assert {"var(--student)", "var(--teacher)", "var(--baseline)", "var(--muted)"} <= set(
        re.findall(r"var\(--[a-z]+\)", drawn)
    )


def test_a_svg_scales_and_names_itself() -> None:
    root = ET.fromstring(panels.svg(panel(), "name"))  # noqa: S314 (ours)
    assert root.get("viewBox") == "0 0 100 60"
    assert root.get("width") is None
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert ids == ["name-title", "name-desc"]
    assert root.get("aria-labelledby") == "name-title name-desc"


def test_the_same_drawing_gives_the_same_bytes() -> None:
    assert panels.svg(panel(), "a") == panels.svg(panel(), "a")
    assert panels.png([panel()] * 3) == panels.png([panel()] * 3)


def test_letters_that_the_font_lacks_draw_without_a_warning() -> None:
    assert panels.png([panel("分子")]).startswith(b"\x89PNG")


def test_short_labels_stay_and_long_ones_stay_apart() -> None:
    labels = ["short", *(f"a-long-beginning-{i}-and-a-long-ending" for i in range(12))]
    found = panels.shorten(labels, 16)
    assert found["short"] == "short"
    assert len(set(found.values())) == len(labels)
    assert max(map(len, found.values())) <= 17


def test_a_short_label_that_equals_a_shortened_one_is_told_apart() -> None:
    long = "abcdefghij-klmnopqrst"
    short = panels.shorten([long], 9)[long]
    assert len(set(panels.shorten([long, short], 9).values())) == 2


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("token", ["ink", "muted", "link", "student", "teacher", "baseline"])
@pytest.mark.parametrize("ground", ["page", "card"])
def test_words_and_marks_stand_out_from_their_ground(scheme, token, ground) -> None:
    dark, bright = sorted(luminance(scheme[name]) for name in (token, ground))
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_colours_are_distinct_so_that_they_can_be_told_in_a_drawing() -> None:
    assert len(set(LIGHT.values())) == len(LIGHT)
    assert set(LIGHT) == set(DARK)
