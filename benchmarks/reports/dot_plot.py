"""Scores of all embedders on one task: means over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.official import Line
from molkd.benchmarks.reports.panels import Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 24
"""Embedders that can still be told apart in one panel."""

_WIDTH, _LETTERS, _SIZE, _PITCH, _TOP, _BOTTOM = 290.0, 21, 10.0, 17.0, 50.0, 26.0


def panel(line: Line, order: Sequence[str], roles: Mapping[str, str], reference: str) -> Panel:
    """Draws the means of a task over seeds, with one standard deviation to both sides.

    Args:
        line: the scores.
        order: labels from top to bottom; those without a score keep an empty row.
        roles: label -> role.
        reference: label that the others are compared with by eye, along a line.
    """
    means = {label: score.mean for label, score in line.scores.items()}
    listed = ", ".join(f"{label} {line.scores[label].text}" for label in order if label in means)
    height = _TOP + _PITCH * len(order) + _BOTTOM

    def draw(axes: Axes) -> None:
        short = panels.shorten(order, _LETTERS)
        left = max(panels.ems(name) for name in short.values()) * _SIZE * 1.1 + 12
        low, high = _limits(line)
        scale = (_WIDTH - 14 - left) / (high - low)
        floor = height - _BOTTOM

        def place(value: float) -> float:
            return left + (min(max(value, low), high) - low) * scale

        _frame(axes, line)
        for tick in _ticks(low, high):
            panels.line(axes, [place(tick)] * 2, [_TOP - 4, floor], "faint", 1)
            panels.text(axes, place(tick), floor + 12, f"{tick:g}", ha="center", color="muted")
        if reference in means:
            panels.line(
                axes, [place(means[reference])] * 2, [_TOP - 4, floor], roles[reference], 0.7
            )
        for row, label in enumerate(order):
            y = _TOP + _PITCH * (row + 0.5)
            weight = "bold" if label == reference else "normal"
            panels.text(axes, left - 10, y, short[label], size=_SIZE, ha="right", weight=weight)
            if label in means:
                _point(axes, line, label, place, y, roles[label])

    return Panel(
        title=f"{line.task}, {line.metric}",
        description=f"{line.metric} ({line.direction}): {listed or 'no score'}.",
        width=_WIDTH,
        height=height,
        draw=draw,
    )


def _point(
    axes: Axes, line: Line, label: str, place: Callable[[float], float], y: float, role: str
) -> None:
    """A mean with its standard deviation; one beyond the limits lies on them, and says so."""
    (low, high), score = _limits(line), line.scores[label]
    mean, sd = score.mean, score.sd
    if sd:
        panels.line(axes, [place(mean - sd), place(mean + sd)], [y, y], role, 2)
    outside = not low <= mean <= high
    tip = f"{label}: {line.metric} {score.text}"
    panels.mark(axes, place(mean), y, role, size=7, tip=tip, hollow=outside)
    if outside:
        words, side = f" {mean:.3g} ", "right" if mean > high else "left"
        panels.text(axes, place(mean), y - 0.5, words, ha=side, size=8, color="muted")


def _frame(axes: Axes, line: Line) -> None:
    name = panels.shorten([line.title], 38)[line.title]
    panels.text(axes, 0, 10, name, size=12, weight="bold")
    words = f"{line.metric}, {line.direction}; {line.compared:,} {line.modality}"
    panels.text(axes, 0, 28, words, color="muted")


def _limits(line: Line) -> tuple[float, float]:
    """The range of the axis: all intervals, but for means far outside of the middle half."""
    if not line.scores:
        return 0.0, 1.0
    means = np.array([score.mean for score in line.scores.values()])
    lower, upper = np.percentile(means, [25, 75])
    reach = 6 * (upper - lower) if len(means) > 3 else np.inf
    inner = [s for s in line.scores.values() if lower - reach <= s.mean <= upper + reach]
    low = min(score.mean - (score.sd or 0) for score in inner)
    high = max(score.mean + (score.sd or 0) for score in inner)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]
