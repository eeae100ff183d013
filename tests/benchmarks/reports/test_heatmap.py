"""The drawing of a matrix of likeness: what its cells say, and bad input."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.heatmap import heatmap, panel
from molkd.errors import ShapeError

NAMES = ["first", "second & <third>", "x" * 90]
MATRIX = np.array([[1, 0.25, -0.001], [0.5, 1, np.nan], [-0.3, 0.125, 1]])


def _parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314


def test_every_cell_shows_its_number() -> None:
    drawn = panels.svg(panel(NAMES, MATRIX, title="CKA"), "similarity")
    root = _parsed(drawn)
    words = ["".join(element.itertext()).strip() for element in root.iter()]
    texts = [
        text for element, text in zip(root.iter(), words, strict=True) if element.tag[-4:] == "text"
    ]
    for expected in ("CKA", "0.25", "0.00", "-", "-0.30", "0.12", "second & <third>  2", "3"):
        assert expected in texts
    assert texts.count("1.00") == 3
    assert not any("x" * 40 in text for text in texts)
    assert "url(" not in drawn
    assert "0.50, second & <third> with first" in words[2]


def test_stronger_likeness_is_darker_and_negative_is_blank() -> None:
    drawn = panels.svg(panel(["a", "b"], np.array([[1.0, 0.5], [-1.0, 1.0]]), title=""), "n")
    shades = [
        element.get("style", "").partition("opacity: ")[2]
        for element in _parsed(drawn).iter()
        if "--teacher" in element.get("style", "")
    ]
    assert [float(shade) for shade in shades] == pytest.approx([0.55, 0.275, 0.55])


def test_the_file_is_a_png_and_the_same_twice(tmp_path: Path) -> None:
    heatmap(NAMES, MATRIX, title="CKA", path=tmp_path / "a.png")
    heatmap(NAMES, MATRIX, title="CKA", path=tmp_path / "b.png")
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert data == (tmp_path / "b.png").read_bytes()


def test_names_and_matrix_must_fit() -> None:
    with pytest.raises(ShapeError, match=r"3 names need a matrix of 3 x 3, not \(2, 2\)"):
        panel(NAMES, np.eye(2), title="")
    with pytest.raises(ShapeError):
        panel([], np.eye(0), title="")
    assert "1 by 1" in panel(["one"], np.eye(1), title="").description


def test_forty_rows_fit_a_narrow_screen() -> None:
    names = [f"embedder-number-{row}" for row in range(40)]
    matrix = np.full((40, 40), 0.23)
    narrow = panel(names, matrix, title="chance", percent=True, narrow=True)
    wide = panel(names, matrix, title="chance", percent=True)
    assert narrow.width <= 336
    assert narrow.width < wide.width < 1250
    texts = {drawn: _texts(panels.svg(each, "n")) for drawn, each in (("n", narrow), ("w", wide))}
    assert "23" not in texts["n"]
    assert {"5", "40"} <= set(texts["n"])
    assert "6" not in texts["n"]
    assert texts["w"].count("23") == 40 * 40 + 1  # and the head of a column


def _texts(drawn: str) -> list[str]:
    root = _parsed(drawn)
    return ["".join(e.itertext()).strip() for e in root.iter() if e.tag.endswith("}text")]
