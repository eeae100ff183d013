"""A map as a figure."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from molkd.benchmarks.reports.palette import LIGHT
from molkd.library.maps.shades import KINDS_LIGHT, RAMP_LIGHT, Shade
from molkd.types import Matrix

_MISSING = "#c3c8cf"
_SIZE, _DPI = (8.0, 7.0), 200


def png(places: Matrix, shade: Shade | None, *, title: str, words: str) -> bytes:
    """Returns a figure of molecules on a map.

    Args:
        places: shape (n, 2).
        shade: what colours say, of the same rows; None for one colour.
        title: stands above it.
        words: how places were found; stand below it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor=LIGHT["card"], layout="constrained")
    axes = figure.add_subplot()
    axes.set(aspect="equal", xticks=(), yticks=(), facecolor=LIGHT["card"])
    axes.set_adjustable("datalim")
    for side in axes.spines.values():
        side.set_color(LIGHT["line"])
    axes.set_title(_plain(title), loc="left", color=LIGHT["ink"], fontsize=13)
    axes.set_xlabel(_plain(words), loc="left", color=LIGHT["muted"], fontsize=8)
    size = float(np.clip(20_000 / max(len(places), 1), 0.6, 24))
    if shade is None or shade.kind == "text":
        _dots(axes, places, size, color=KINDS_LIGHT[0])
    elif shade.kind == "number":
        _numbers(figure, axes, places, shade, size)
    else:
        _categories(axes, places, shade, size)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _dots(axes: Any, places: Matrix, size: float, **look: Any) -> Any:
    return axes.scatter(
        places[:, 0], places[:, 1], s=size, linewidths=0, alpha=0.85, rasterized=True, **look
    )


def _numbers(figure: Any, axes: Any, places: Matrix, shade: Shade, size: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    missing = np.isnan(shade.values)
    _dots(axes, places[missing], size, color=_MISSING)
    _, low, high, _ = shade.range
    ramp = LinearSegmentedColormap.from_list("ramp", RAMP_LIGHT)
    look = {"c": shade.values[~missing], "cmap": ramp, "vmin": low, "vmax": high or low + 1}
    dots = _dots(axes, places[~missing], size, **look)
    bar = figure.colorbar(dots, ax=axes, shrink=0.5, aspect=30, pad=0.01)
    bar.set_label(_plain(shade.name), color=LIGHT["ink"], fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=LIGHT["muted"], labelsize=8)


def _categories(axes: Any, places: Matrix, shade: Shade, size: float) -> None:
    last = len(KINDS_LIGHT) - 1
    shown = shade.labels if len(shade.labels) <= last + 1 else shade.labels[:last]
    groups = [("missing", _MISSING, shade.values == 0)]
    groups += [
        (label, KINDS_LIGHT[place], shade.values == place + 1) for place, label in enumerate(shown)
    ]
    if len(shown) < len(shade.labels):
        others = f"{len(shade.labels) - len(shown)} others"
        groups.insert(1, (others, KINDS_LIGHT[last], shade.values > len(shown)))
    for label, color, rows in groups:
        if rows.any():
            _dots(axes, places[rows], size, color=color, label=_plain(label[:40]))
    legend = axes.legend(
        title=_plain(shade.name),
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        frameon=False,
        fontsize=8,
    )
    for handle in legend.legend_handles:
        handle.set_sizes([30])


def _plain(text: str) -> str:
    """Text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")
