"""A report as one HTML page that needs nothing beside itself."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.document import Document
from molkd.benchmarks.reports.palette import DARK, LIGHT

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent


def render(document: Document) -> str:
    """Returns the page: styles and drawings within, no script, nothing from a network."""
    return _template().render(
        document=document,
        light=LIGHT,
        dark=DARK,
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        svg=panels.svg,
        breaks=_breaks,
    )


def _breaks(text: str) -> list[str]:
    """Pieces of a name between which a line may end."""
    return re.findall(r"[^-_/:.+]*[-_/:.+]+|[^-_/:.+]+", text)


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
