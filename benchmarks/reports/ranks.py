"""Mean ranks with the critical difference.

Demšar, J. (2006). Statistical comparisons of classifiers over multiple data sets. Journal of
Machine Learning Research, 7, 1-30: his figure 1, with all names on one side so that it stays
readable on a narrow screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.panels import Panel
from molkd.benchmarks.statistics import Comparison, cliques

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RIGHT, _TOP, _PITCH, _BAR, _SIZE = 14.0, 62.0, 19.0, 6.0, 11.5


def panel(
    comparison: Comparison, roles: Mapping[str, str], tasks: int, *, narrow: bool = False
) -> Panel:
    """Draws mean ranks, best first, and joins what the Nemenyi test cannot tell apart.

    Args:
        comparison: of a section.
        roles: label -> role.
        tasks: number of tasks that ranks are means over.
        narrow: whether it is for a narrow screen.
    """
    width, letters = (330.0, 20) if narrow else (560.0, 34)
    ranks = dict(sorted(comparison.ranks.items(), key=lambda item: item[1]))
    critical = comparison.critical_difference
    joined = [] if critical is None else cliques(ranks, critical)
    joined = [names for names in joined if len(names) > 1]
    listed = ", ".join(f"{label} {rank:.2f}" for label, rank in ranks.items())
    first = _TOP + 12 + _BAR * len(joined) + _PITCH / 2
    height = first + _PITCH * (len(ranks) - 0.5) + 26

    def draw(axes: Axes) -> None:
        short = panels.shorten(list(ranks), letters)
        left = max(panels.ems(name) for name in short.values()) * _SIZE * 1.05 + 58
        place = _Scale(left, width - _RIGHT, len(ranks))
        _axis(axes, place)
        panels.key(axes, 0, height - 8)
        if critical is not None:
            _critical(axes, place, critical)
        for row, names in enumerate(joined):
            y = _TOP + 10 + _BAR * row
            ends = [place(ranks[names[0]]) - 3, place(ranks[names[-1]]) + 3]
            panels.line(axes, ends, [y, y], "ink", 3)
        for row, (label, rank) in enumerate(ranks.items()):
            y = first + _PITCH * row
            weight = "bold" if label == comparison.reference else "normal"
            panels.text(axes, left - 54, y, short[label], size=_SIZE, ha="right", weight=weight)
            panels.text(axes, left - 14, y, f"{rank:.2f}", size=_SIZE, ha="right", color="muted")
            x = place(rank)
            panels.line(axes, [left - 6, x, x], [y, y, _TOP], roles[label], 1.2)
        for label in sorted(ranks, key=lambda label: label == comparison.reference):
            tip = f"{label}: mean rank {ranks[label]:.2f}"
            panels.mark(axes, place(ranks[label]), _TOP, roles[label], size=9, tip=tip)

    return Panel(
        title="Mean ranks with critical difference",
        description=f"Mean ranks over {tasks} tasks, best first: {listed}.",
        width=width,
        height=height,
        draw=draw,
    )


class _Scale:
    """Rank -> x, from 1 to the number of embedders."""

    def __init__(self, left: float, right: float, last: int) -> None:
        self.left, self.right, self.last = left, right, max(last, 2)

    def __call__(self, rank: float) -> float:
        return self.left + (self.right - self.left) * (rank - 1) / (self.last - 1)


def _axis(axes: Axes, place: _Scale) -> None:
    panels.line(axes, [place.left, place.right], [_TOP, _TOP], "muted", 1.2)
    step = max(1, round(place.last / 8))
    for rank in range(1, place.last + 1, step):
        x = place(rank)
        panels.line(axes, [x, x], [_TOP - 5, _TOP], "muted", 1)
        panels.text(axes, x, _TOP - 13, str(rank), ha="center", color="muted")
    panels.text(axes, 0, _TOP - 13, "mean rank, 1 is best", color="muted")


def _critical(axes: Axes, place: _Scale, critical: float) -> None:
    """The bar as long as the critical difference; cut where it is longer than the axis."""
    ends = [place(1), min(place(1 + critical), place.right)]
    y = 20.0
    panels.line(axes, ends, [y, y], "ink", 2)
    for x in ends:
        panels.line(axes, [x, x], [y - 4, y + 4], "ink", 1.2)
    words = f"critical difference {critical:.2f}"
    x = min(ends[0], place.right - panels.ems(words) * _SIZE)
    panels.text(axes, x, y - 12, words, size=_SIZE)
