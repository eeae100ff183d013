"""Histograms say how many there are of what."""

from __future__ import annotations

import re

import numpy as np

from molkd.library.histograms import svg


def _heights(drawn: str) -> list[float]:
    return [float(text) for text in re.findall(r'height="([0-9.]+)"', drawn)]


def test_whole_numbers_have_a_bar_each() -> None:
    drawn = svg("rings", np.array([1.0, 2, 2, 2, 2, 4, np.nan]))
    assert _heights(drawn) == [20, 80, 20]
    assert ">1</text>" in drawn
    assert ">4</text>" in drawn
    assert "rings: median 2, 99 % from 1 to 4" in drawn


def test_one_outlier_does_not_hide_the_rest() -> None:
    values = np.append(np.random.default_rng(0).normal(5, 1, 999), 1e6)
    assert len(_heights(svg("x", values))) > 20


def test_equal_values_and_none() -> None:
    assert len(_heights(svg("x", np.full(5, 3.25)))) == 1
    assert svg("x", np.array([np.nan])) == svg("x", np.array([])) == ""


def test_names_are_escaped() -> None:
    assert "<b>" not in svg("<b>", np.array([1.0]))
