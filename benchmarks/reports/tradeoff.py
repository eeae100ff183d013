"""Quality against speed, with the size of the model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.panels import Panel
from molkd.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT, _LEFT, _TOP, _BOTTOM, _SIZE = 380.0, 44.0, 30.0, 310.0, 10.5


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast an embedder is.

    Attributes:
        rate: items per second from what a user has to embedding, positive.
        parameters: number of weights; None where unknown.
    """

    rate: float
    parameters: int | None


@dataclass(frozen=True, slots=True)
class Point:
    """An embedder.

    Attributes:
        label: its name.
        role: its role.
        speed: items per second, positive.
        quality: mean score over tasks.
        parameters: number of weights; None where unknown.
    """

    label: str
    role: str
    speed: float
    quality: float
    parameters: int | None


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def timings(speed: Mapping[str, Any]) -> dict[str, Timing]:
    """Reads label -> {"per_second": ..., "parameters": ...}.

    Raises:
        InputError: an embedder has no positive number per second.
    """
    by_label: dict[str, Timing] = {}
    for label, figures in speed.items():
        rate = figures.get("per_second") if isinstance(figures, Mapping) else None
        if not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise InputError(
                f"speed of {label!r}: expected a positive number per_second, not {rate!r}"
            )
        count = figures.get("parameters")
        by_label[label] = Timing(float(rate), None if count is None else int(count))
    return by_label


def panel(points: Sequence[Point], reference: str, *, narrow: bool = False) -> Panel:
    """Draws one mark per embedder, its area growing with the number of weights.

    Args:
        points: at least one.
        reference: label written in bold.
        narrow: whether it is for a narrow screen.
    """
    ordered = sorted(points, key=lambda point: -point.quality)
    listed = ", ".join(f"{p.label} {p.quality:.3f} at {p.speed:,.0f} per second" for p in ordered)
    width = 330.0 if narrow else 560.0

    def draw(axes: Axes) -> None:
        place = _Scale.around(points, width - 14)
        _axes(axes, place)
        panels.key(axes, width - 194, 8)
        edge = [place(point) for point in _front(points)]
        lines: list[_Box] = []
        for (x0, y0), (x1, y1) in itertools.pairwise(edge):
            panels.line(axes, [x0, x1, x1], [y0, y0, y1], "muted", 0.8)
            lines += [_Box(x0, y0 - 1, x1, y0 + 1), _Box(x1 - 1, y0, x1 + 1, y1)]
        for point in sorted(points, key=lambda p: -diameter(p.parameters)):
            tip = f"{point.label}: {point.quality:.3f}, {point.speed:,.0f} per second"
            size, bare = diameter(point.parameters), point.parameters == 0
            panels.mark(axes, *place(point), point.role, size=size, hollow=bare, tip=tip)
        names = sorted(ordered, key=lambda point: point.label != reference)
        _labels(axes, {point: place(point) for point in names}, lines, width, reference)
        _sizes(axes)

    return Panel(
        title="Quality against speed",
        description=f"Mean score and speed, best first: {listed}.",
        width=width,
        height=_HEIGHT,
        draw=draw,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Point -> place; `x` is the range of log10 of the speeds, `y` that of the scores."""

    x: tuple[float, float]
    y: tuple[float, float]
    right: float

    @classmethod
    def around(cls, points: Sequence[Point], right: float) -> _Scale:
        speeds = _range([math.log10(point.speed) for point in points], least=0.5)
        return cls(speeds, _range([point.quality for point in points], least=0.02), right)

    def __call__(self, point: Point) -> tuple[float, float]:
        return self.across(math.log10(point.speed)), self.down(point.quality)

    def across(self, log_speed: float) -> float:
        share = (log_speed - self.x[0]) / (self.x[1] - self.x[0])
        return _LEFT + share * (self.right - _LEFT)

    def down(self, quality: float) -> float:
        return _BOTTOM - (quality - self.y[0]) / (self.y[1] - self.y[0]) * (_BOTTOM - _TOP)


def diameter(parameters: int | None) -> float:
    """The diameter of a mark, in points: 8 below 100,000 weights, then 6 more per factor of 10."""
    return 8 + 6 * max(0.0, math.log10(max(parameters or 1, 1)) - 5)


def _front(points: Sequence[Point]) -> list[Point]:
    """Points that no other is both faster and better than, from slow to fast."""
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (-p.speed, -p.quality)):
        if not front or point.quality > front[-1].quality:
            front.append(point)
    return front[::-1]


def _range(values: Sequence[float], *, least: float) -> tuple[float, float]:
    middle = (min(values) + max(values)) / 2
    reach = 0.62 * max(max(values) - min(values), least)
    return middle - reach, middle + reach


def _axes(axes: Axes, place: _Scale) -> None:
    from matplotlib.ticker import MaxNLocator

    for value in MaxNLocator(nbins=5).tick_values(*place.y):
        if place.y[0] <= value <= place.y[1]:
            y = place.down(value)
            panels.line(axes, [_LEFT, place.right], [y, y], "faint", 1)
            panels.text(axes, _LEFT - 6, y, f"{value:g}", ha="right", color="muted")
    for value in _decades(*place.x):
        x = place.across(math.log10(value))
        panels.line(axes, [x, x], [_TOP, _BOTTOM], "faint", 1)
        words = f"{value:,g}" if value < 1e6 else f"{value:.0e}"
        panels.text(axes, x, _BOTTOM + 13, words, ha="center", color="muted")
    panels.line(axes, [_LEFT, place.right], [_BOTTOM, _BOTTOM], "muted", 1.2)
    panels.text(axes, 0, 8, "mean score over tasks", color="muted")
    words = "embedded per second"
    panels.text(axes, place.right, _BOTTOM + 31, words, ha="right", color="muted")


def _decades(low: float, high: float) -> list[float]:
    """Round numbers between two logarithms: powers of 10, and 2 and 5 times those if few."""
    factors = (1, 2, 5) if high - low < 2 else (1,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**decade for decade in decades for factor in factors]
    return [value for value in values if low <= math.log10(value) <= high]


def _labels(
    axes: Axes,
    places: Mapping[Point, tuple[float, float]],
    lines: Sequence[_Box],
    width: float,
    reference: str,
) -> None:
    """Writes each name where it covers nothing, else where it covers a line, or not at all."""
    short = panels.shorten([point.label for point in places], int(width / 18))
    taken = [_around(x, y, diameter(point.parameters) / 2) for point, (x, y) in places.items()]
    for point, (x, y) in places.items():
        name = short[point.label]
        long, reach = panels.ems(name) * _SIZE * 1.05, 0.63 * diameter(point.parameters) + 4
        tries = [(x + reach, y), (x - reach - long, y)]
        tries += [(x - long / 2, y + drop) for drop in (reach + 5, -reach - 5)]
        tries += [
            (left, y + drop) for drop in (9, -9, 16, -16) for left in (x + reach, x - reach - long)
        ]
        boxes = [_Box(left, middle - 6, left + long, middle + 6) for left, middle in tries]
        free = [box for box in boxes if _inside(box, width) and not any(map(box.meets, taken))]
        clear = [box for box in free if not any(map(box.meets, lines))]
        for box in (clear or free)[:1]:
            taken.append(box)
            weight = "bold" if point.label == reference else "normal"
            style = {"size": _SIZE, "weight": weight, "gid": panels.HALO, "color": point.role}
            panels.text(axes, box.left, box.top + 6, name, **style)


def _inside(box: _Box, width: float) -> bool:
    return box.left >= _LEFT and box.right <= width and _TOP - 8 <= box.top < _BOTTOM - 12


def _around(x: float, y: float, radius: float) -> _Box:
    return _Box(x - radius, y - radius, x + radius, y + radius)


def _sizes(axes: Axes) -> None:
    """The legend of the areas."""
    y, x = _HEIGHT - 14, 0.0
    panels.text(axes, x, y, "weights", color="muted")
    x += 56
    for words, parameters in (("none", 0), ("0.1 M", 10**5), ("1 M", 10**6), ("10 M", 10**7)):
        size = diameter(parameters)
        panels.mark(axes, x + size / 2, y, "baseline", size=size, hollow=parameters == 0)
        panels.text(axes, x + size + 4, y, words, color="muted")
        x += size + 12 + panels.ems(words) * 10
