"""Mean scores against the number of labelled rows: one line per embedder, the floor below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.panels import Panel
from molkd.benchmarks.statistics.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEFT, _TOP, _FOOT, _SIZE, _PITCH = 40.0, 62.0, 44.0, 10.0, 12.0
_LEAST_HEIGHT = 380.0


def panel(curve: Curve, roles: Mapping[str, str], reference: str, *, narrow: bool = False) -> Panel:
    """Draws the means over tasks of every embedder; numbers of rows are spaced as logarithms.

    Args:
        curve: what is drawn.
        roles: label -> role.
        reference: label written in bold, its line thicker.
        narrow: whether it is for a narrow screen.
    """
    last = curve.means[:, -1].tolist()
    order = sorted(range(len(last)), key=lambda row: -last[row])
    listed = ", ".join(f"{curve.embedders[row]} {last[row]:.3f}" for row in order)
    width = 330.0 if narrow else 560.0
    height = max(_LEAST_HEIGHT, _TOP + _FOOT + _PITCH * (len(order) + 1))
    title = f"{curve.probe}, {tasks(len(curve.tasks))}"

    def draw(axes: Axes) -> None:
        short = panels.shorten(curve.embedders, 14 if narrow else 26)
        right = width - max(panels.ems(name) for name in short.values()) * _SIZE - 16
        place = _Scale(curve, right, height - _FOOT)
        panels.text(axes, 0, 10, title, size=12, weight="bold")
        words = f"mean score, {curve.draws} draw{'s' * (curve.draws != 1)}"
        panels.text(axes, 0, 28, words, color="muted")
        panels.key(axes, 0, 46)
        _frame(axes, curve, place)
        if curve.floor is not None:
            down = [place.down(value) for value in curve.floor.mean(axis=0).tolist()]
            panels.line(axes, place.xs, down, "ink", 1.0)
            words = "floor: mean of the labels"
            panels.text(axes, right - 4, down[-1] + 8, words, size=8.5, ha="right")
        for row in reversed(order):
            _line(axes, curve, row, place, roles, reference)
        heights = _spread([place.down(last[row]) for row in order], _TOP, height - _FOOT)
        for row, y in zip(order, heights, strict=True):
            label = curve.embedders[row]
            ends = [place.down(last[row]), y]
            panels.line(axes, [right + 4, right + 11], ends, "line", 0.8)
            weight = "bold" if label == reference else "normal"
            style = {"size": _SIZE, "weight": weight, "color": roles[label]}
            panels.text(axes, right + 13, y, short[label], **style)

    return Panel(
        title=title,
        description=f"Mean score with {curve.labelled[-1]:,} labels, best first: {listed}.",
        width=width,
        height=height,
        draw=draw,
    )


class _Scale:
    """Places of numbers of rows and of scores."""

    def __init__(self, curve: Curve, right: float, bottom: float) -> None:
        values = curve.means if curve.floor is None else [*curve.means, curve.floor.mean(axis=0)]
        low, high = float(np.min(values)), float(np.max(values))
        margin = 0.06 * (high - low) or 0.01
        self.low, self.high = low - margin, high + margin
        self.right, self.bottom = right, bottom
        logs = [math.log10(count) for count in curve.labelled]
        reach = (logs[-1] - logs[0]) or 1.0
        self.xs = [_LEFT + 8 + (log - logs[0]) / reach * (right - _LEFT - 8) for log in logs]

    def down(self, score: float) -> float:
        share = (score - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - _TOP)


def _frame(axes: Axes, curve: Curve, place: _Scale) -> None:
    from matplotlib.ticker import MaxNLocator

    for value in MaxNLocator(nbins=6).tick_values(place.low, place.high):
        if place.low <= value <= place.high:
            y = place.down(float(value))
            panels.line(axes, [_LEFT, place.right], [y, y], "faint", 1)
            panels.text(axes, _LEFT - 6, y, f"{value:g}", ha="right", color="muted")
    for count, x in zip(curve.labelled, place.xs, strict=True):
        panels.line(axes, [x, x], [_TOP, place.bottom], "faint", 1)
        panels.text(axes, x, place.bottom + 13, f"{count:,}", ha="center", color="muted")
    panels.line(axes, [_LEFT, place.right], [place.bottom, place.bottom], "muted", 1.2)
    words = "labelled rows"
    panels.text(axes, place.right, place.bottom + 31, words, ha="right", color="muted")


def _line(
    axes: Axes,
    curve: Curve,
    row: int,
    place: _Scale,
    roles: Mapping[str, str],
    reference: str,
) -> None:
    label, means = curve.embedders[row], curve.means[row].tolist()
    width = 2.4 if label == reference else 1.2
    panels.line(axes, place.xs, [place.down(mean) for mean in means], roles[label], width)
    for count, x, mean in zip(curve.labelled, place.xs, means, strict=True):
        tip = f"{label}: {mean:.3f} with {count:,} labels"
        panels.mark(axes, x, place.down(mean), roles[label], size=5.5, tip=tip)


def _spread(heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Ascending heights, pushed apart so that text does not cover text."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + _PITCH if placed else top))
    limit = bottom
    for row in reversed(range(len(placed))):
        placed[row] = min(placed[row], limit)
        limit = placed[row] - _PITCH
    return placed


def tasks(count: int) -> str:
    """Returns "1 task", "22 tasks"."""
    return "1 task" if count == 1 else f"{count} tasks"
