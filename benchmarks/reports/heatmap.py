"""A square matrix of likeness between 0 and 1, as a drawing with its numbers in the cells."""

from __future__ import annotations

from collections.abc import Sequence
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


def heatmap(
    names: Sequence[str], matrix: npt.NDArray[np.float64], *, title: str, path: Path
) -> None:
    """Writes the drawing as a PNG; see `panel`.

    Raises:
        OutputError: the file cannot be written.
    """
    files.write_bytes(path, panels.png([panel(names, matrix, title=title)]))


def panel(names: Sequence[str], matrix: npt.NDArray[np.float64], *, title: str) -> Panel:
    """Makes the drawing; `panels.svg` turns it into an element of a page.

    Args:
        names: t of them, in the order of rows and columns.
        matrix: shape (t, t); what is below 0 is as pale as 0, NaN is a dash.
        title: what the numbers are.

    Raises:
        ShapeError: names and matrix do not fit.
    """
    count = len(names)
    if not count or matrix.shape != (count, count):
        raise ShapeError(f"{count} names need a matrix of {count} x {count}, not {matrix.shape}")
    short = panels.shorten(names, _LONGEST)
    labels = [f"{short[name]}  {place}" for place, name in enumerate(names, start=1)]
    left = _MARGIN + _SIZE * max(map(panels.ems, [*labels, ""])) + _MARGIN
    width = max(left + count * _CELL, _SIZE * panels.ems(title)) + _MARGIN
    height = _MARGIN + (count + 2) * _CELL * 0.8 + _MARGIN
    return Panel(
        title=title,
        description=_described(names, matrix),
        width=width,
        height=height,
        draw=partial(_draw, labels=labels, matrix=matrix, title=title, left=left),
    )


def _draw(
    axes: Axes, *, labels: Sequence[str], matrix: npt.NDArray[np.float64], title: str, left: float
) -> None:
    from matplotlib.patches import Rectangle

    tall = _CELL * 0.8
    panels.text(axes, _MARGIN, _MARGIN + tall / 2, title)
    top = _MARGIN + 2 * tall
    for row, label in enumerate(labels):
        middle = top + (row + 0.5) * tall
        panels.text(axes, left - _MARGIN, middle, label, ha="right")
        head = left + (row + 0.5) * _CELL
        panels.text(axes, head, top - tall / 2, str(row + 1), ha="center", color="muted")
        for column, value in enumerate(matrix[row].tolist()):
            x = left + column * _CELL
            shade = _DARKEST * min(max(value, 0.0), 1.0) if np.isfinite(value) else 0.0
            box = axes.add_patch(Rectangle((x, top + row * tall), _CELL, tall, linewidth=0))
            box.set(facecolor=LIGHT["teacher"], alpha=shade, clip_on=False)
            words = f"{value:.2f}".replace("-0.00", "0.00") if np.isfinite(value) else "-"
            panels.text(axes, x + _CELL / 2, middle, words, ha="center", size=8.5)


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
