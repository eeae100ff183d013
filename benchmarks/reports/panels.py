"""Panels: small drawings made once and shown as SVG in the page and as PNG beside it.

A panel is drawn on axes that cover it whole, in points, x to the right and y downwards. Places are
computed, not left to a layout engine, since a browser sets the text in a font of its own.
"""

from __future__ import annotations

import io
import math
import unicodedata
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from molkd.benchmarks.reports.palette import LIGHT, SHAPES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_FONT = "DejaVu Sans"
_TIP = "tip:"
HALO = "halo"
"""The gid of text that stands on lines: the page draws it on a ground of its own."""

_GAP = 18.0
_MARGIN = 12.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing.

    Attributes:
        title: what it shows, in a few words.
        description: what can be seen, for who cannot see it.
        width: points.
        height: points.
        draw: draws on axes in points, with (0, 0) at the top left.
    """

    title: str
    description: str
    width: float
    height: float
    draw: Callable[[Axes], None]


def svg(panel: Panel, name: str) -> str:
    """Draws a panel as an SVG element to stand in a page.

    Args:
        panel: what to draw.
        name: unique within the page, a valid id.
    """
    buffer = io.StringIO()
    _save([panel], 1, buffer, "svg", margin=0.0)
    # The text comes from matplotlib, not from outside.
    root = ET.fromstring(buffer.getvalue())  # noqa: S314
    _drop_metadata(root)
    _colour(root)
    _name(root, panel, name)
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode").replace(f"'{_FONT}'", "var(--sans)")


def png(panels: Sequence[Panel]) -> bytes:
    """Draws panels side by side, at most four in a row, as a PNG."""
    buffer = io.BytesIO()
    columns = min(4, math.ceil(math.sqrt(len(panels))))
    _save(panels, columns, buffer, "png", margin=_MARGIN)
    return buffer.getvalue()


def ems(text: str) -> float:
    """An upper estimate of the width of a text, in units of its size."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return 0.6 * len(text) + 0.4 * wide


def shorten(labels: Sequence[str], limit: int) -> dict[str, str]:
    """Label -> label of at most about `limit` letters, still unique, cut in its middle."""
    shortened: dict[str, str] = {}
    for label in labels:
        head = (limit - 1) // 2
        plain = "".join(
            letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in label
        )
        short = plain if len(plain) <= limit else f"{plain[:head]}…{plain[head + 1 - limit :]}"
        number = 2
        while short in shortened.values():
            short = f"{plain[:head]}…{plain[head + 3 - limit :]}·{number}"
            number += 1
        shortened[label] = short
    return shortened


def line(axes: Axes, xs: Sequence[float], ys: Sequence[float], colour: str, width: float) -> None:
    """Draws a polygon chain, in the colour of a token."""
    axes.plot(xs, ys, color=LIGHT[colour], linewidth=width, solid_capstyle="round", clip_on=False)


def text(axes: Axes, x: float, y: float, words: str, **style: Any) -> None:
    """Writes text, by default at the left, centred in height, in ink; `color` is a token."""
    options: dict[str, Any] = {
        "size": 10.0,
        "ha": "left",
        "va": "center_baseline",
        "color": "ink",
        **style,
    }
    options["color"] = LIGHT[options["color"]]
    axes.text(x, y, words, clip_on=False, **options)


def mark(axes: Axes, x: float, y: float, role: str, **style: Any) -> None:
    """Draws the mark of a role; `size` is its diameter, `tip` what a pointer over it reads."""
    from matplotlib.markers import MarkerStyle
    from matplotlib.patches import PathPatch
    from matplotlib.transforms import Affine2D

    size, tip = style.get("size", 8.0), style.get("tip", "")
    scale = size if role == "student" else size * math.sqrt(math.pi) / 2  # equal areas
    shape = MarkerStyle(SHAPES[role])
    place = shape.get_transform() + Affine2D().scale(scale).translate(x, y)
    path = shape.get_path().transformed(place)
    fill = LIGHT["card" if style.get("hollow") else role]
    patch = PathPatch(
        path, facecolor=fill, edgecolor=LIGHT[role], linewidth=1.3, clip_on=False, zorder=4
    )
    patch.set_gid(_TIP + tip)
    axes.add_patch(patch)


def key(axes: Axes, x: float, y: float) -> None:
    """Draws what the marks of the roles are, from the left."""
    for role in SHAPES:
        mark(axes, x + 4, y, role, size=8)
        text(axes, x + 12, y, role, color="muted", size=9.5)
        x += 22 + ems(role) * 9.5


def _figure(panels: Sequence[Panel], columns: int, margin: float) -> Figure:
    from matplotlib.figure import Figure

    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    width = max(sum(panel.width + _GAP for panel in row) for row in rows) - _GAP + 2 * margin
    heights = [max(panel.height for panel in row) for row in rows]
    height = sum(heights) + _GAP * (len(rows) - 1) + 2 * margin
    figure = Figure(figsize=(width / 72, height / 72), facecolor=LIGHT["card"])
    top = margin
    for row, tall in zip(rows, heights, strict=True):
        left = margin
        for panel in row:
            bottom = 1 - (top + panel.height) / height
            box = (left / width, bottom, panel.width / width, panel.height / height)
            axes = figure.add_axes(box, xlim=(0, panel.width), ylim=(panel.height, 0))
            axes.set_axis_off()
            panel.draw(axes)
            left += panel.width + _GAP
        top += tall + _GAP
    return figure


def _save(panels: Sequence[Panel], columns: int, buffer: Any, kind: str, *, margin: float) -> None:
    from matplotlib import rc_context

    settings: dict[Any, Any] = {
        "font.family": [_FONT],
        "svg.fonttype": "none",
        "svg.hashsalt": "molkd",
        "text.parse_math": False,
        "path.simplify": False,
    }
    bare = {"Date": None, "Creator": None, "Format": None, "Type": None}
    metadata: Mapping[str, None] = bare if kind == "svg" else {"Software": None}
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from font", UserWarning)
        figure = _figure(panels, columns, margin)
        figure.savefig(buffer, format=kind, dpi=150, metadata=dict(metadata))


def _drop_metadata(root: ET.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}defs"} and "id" not in child.attrib:
                parent.remove(child)


def _colour(root: ET.Element) -> None:
    """Turns the light colours into variables of the page."""
    for element in root.iter():
        style = element.get("style", "")
        for token, colour in LIGHT.items():
            style = style.replace(colour, f"var(--{token})")
        if style:
            element.set("style", style)


def _name(root: ET.Element, panel: Panel, name: str) -> None:
    """Gives the element its title and description, and marks their tips; drops other ids."""
    for element in root.iter():
        identifier = element.attrib.pop("id", "")
        if identifier == HALO:
            element.set("class", HALO)
        if identifier.startswith(_TIP) and identifier != _TIP:
            title = ET.Element(f"{{{_SVG}}}title")
            title.text = identifier.removeprefix(_TIP)
            element.insert(0, title)
    for place, (tag, words) in enumerate((("title", panel.title), ("desc", panel.description))):
        child = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        child.text = words
        root.insert(place, child)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
