"""A square matrix of likeness between 0 and 1, as a drawing with its numbers in the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.palette import LIGHT
from molkd.benchmarks.reports.panels import Panel
from molkd.errors import ShapeError
from molkd.runtime import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL, _SIZE, _MARGIN = 32.0, 10.0, 6.0
_LONGEST = 32
_DARKEST = 0.55  # ink stays readable on it, on light ground and on dark
_MANY = 16  # rows above which cells are smaller
_NARROW = 330.0
_LEAST_CELL, _LEAST_HEAD = 13.0, 11.0  # widths below which a number does not fit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where things stand, in points.

    Attributes:
        labels: of the rows.
        left: where the cells begin.
        cell: width of a cell.
        tall: height of a cell.
        size: of the text.
        percent: whether cells hold percents.
    """

    labels: tuple[str, ...]
    left: float
    cell: float
    tall: float
    size: float
    percent: bool

    @classmethod
    def of(cls, names: Sequence[str], *, percent: bool, narrow: bool) -> _Layout:
        size, longest = (8.5, 15) if narrow else (_SIZE, _LONGEST)
        short = panels.shorten(names, longest)
        labels = tuple(f"{short[name]}  {place}" for place, name in enumerate(names, start=1))
        left = _MARGIN + size * max(map(panels.ems, labels)) + _MARGIN
        cell = 22.0 if percent and len(names) > _MANY else _CELL
        if narrow:
            cell = min(cell, (_NARROW - left - _MARGIN) / len(names))
        tall = max(cell * 0.8, 13.0)
        return cls(labels=labels, left=left, cell=cell, tall=tall, size=size, percent=percent)

    def words(self, value: float) -> str:
        """What a cell says; nothing where it is too small for it."""
        if self.cell < _LEAST_CELL:
            return ""
        if not np.isfinite(value):
            return "-"
        return f"{100 * value:.0f}" if self.percent else f"{value:.2f}".replace("-0.00", "0.00")

    def head(self, place: int) -> str:
        """What stands above a column: each fifth number where they are too narrow for all."""
        fits = self.cell >= _LEAST_HEAD or place % 5 == 0
        return str(place) if fits else ""


def heatmap(
    names: Sequence[str], matrix: npt.NDArray[np.float64], *, title: str, path: Path
) -> None:
    """Writes the drawing as a PNG; see `panel`.

    Raises:
        OutputError: the file cannot be written.
    """
    files.write_bytes(path, panels.png([panel(names, matrix, title=title)]))


def panel(
    names: Sequence[str],
    matrix: npt.NDArray[np.float64],
    *,
    title: str,
    percent: bool = False,
    narrow: bool = False,
) -> Panel:
    """Makes the drawing; `panels.svg` turns it into an element of a page.

    Args:
        names: t of them, in the order of rows and columns.
        matrix: shape (t, t); what is below 0 is as pale as 0, NaN is a dash.
        title: what the numbers are.
        percent: whether cells hold percents without decimals, and may be smaller.
        narrow: whether it is for a narrow screen: cells without room for a number have none.

    Raises:
        ShapeError: names and matrix do not fit.
    """
    count = len(names)
    if not count or matrix.shape != (count, count):
        raise ShapeError(f"{count} names need a matrix of {count} x {count}, not {matrix.shape}")
    layout = _Layout.of(names, percent=percent, narrow=narrow)
    width = max(layout.left + count * layout.cell, layout.size * panels.ems(title)) + _MARGIN
    height = _MARGIN + (count + 2) * layout.tall + _MARGIN
    return Panel(
        title=title,
        description=_described(names, matrix),
        width=width,
        height=height,
        draw=partial(_draw, layout=layout, matrix=matrix, title=title),
    )


def _draw(axes: Axes, *, layout: _Layout, matrix: npt.NDArray[np.float64], title: str) -> None:
    from matplotlib.patches import Rectangle

    left, cell, tall, size = layout.left, layout.cell, layout.tall, layout.size
    panels.text(axes, _MARGIN, _MARGIN + tall / 2, title, size=size)
    top = _MARGIN + 2 * tall
    for row, label in enumerate(layout.labels):
        middle = top + (row + 0.5) * tall
        panels.text(axes, left - _MARGIN, middle, label, ha="right", size=size)
        if head := layout.head(row + 1):
            x = left + (row + 0.5) * cell
            panels.text(axes, x, top - tall / 2, head, ha="center", color="muted", size=size)
        for column, value in enumerate(matrix[row].tolist()):
            x = left + column * cell
            shade = _DARKEST * min(max(value, 0.0), 1.0) if np.isfinite(value) else 0.0
            box = axes.add_patch(Rectangle((x, top + row * tall), cell, tall, linewidth=0))
            box.set(facecolor=LIGHT["teacher"], alpha=shade, clip_on=False)
            if words := layout.words(value):
                panels.text(axes, x + cell / 2, middle, words, ha="center", size=8.5)


def _described(names: Sequence[str], matrix: npt.NDArray[np.float64]) -> str:
    """Names the two that are most alike, for who cannot see the drawing."""
    off = np.where(np.isnan(matrix) | np.eye(len(names), dtype=np.bool_), -np.inf, matrix)
    if not np.isfinite(off).any():
        return f"A matrix of {len(names)} by {len(names)} numbers."
    row, column = np.unravel_index(int(np.argmax(off)), off.shape)
    return (
        f"A matrix of {len(names)} by {len(names)} numbers; the largest beside the diagonal is "
        f"{off[row, column]:.2f}, {names[int(row)]} with {names[int(column)]}."
    )
