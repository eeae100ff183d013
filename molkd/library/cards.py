"""Drawn molecules in a page that needs nothing beside itself, and in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from molkd.library.drawing import image, svg
from molkd.library.templates import template

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Card:
    """A molecule with a few facts.

    Attributes:
        smiles: what is drawn.
        name: its identifier.
        facts: label and value each.
    """

    smiles: str
    name: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: some molecules that belong together, or a table, a picture, a page.

    Attributes:
        title: what they are.
        smiles: the molecule that they belong to, drawn before them; "" where there is none.
        note: a sentence about them.
        cards: the molecules.
        table: rows of cells, the first of them the header.
        picture: a PNG, which the title describes.
        page: HTML of a page of its own, whose scripts run.
    """

    title: str = ""
    smiles: str = ""
    note: str = ""
    cards: tuple[Card, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    picture: bytes = b""
    page: str = ""


def page(title: str, notes: Sequence[str], sections: Sequence[Section]) -> str:
    """Returns an HTML page: styles and drawings within, no script, nothing from a network."""
    inner = _fragment(notes, sections, svg)
    return template(_HERE, "cards_page.html").render(title=title, inner=inner)


def fragment(notes: Sequence[str], sections: Sequence[Section]) -> str:
    """Returns what a notebook shows: on any background, and without its style if need be.

    JupyterLab strips `<style>` and `<svg>`, but no pictures, from what it has not run itself.
    """
    return _fragment(notes, sections, image)


def _fragment(notes: Sequence[str], sections: Sequence[Section], draw: Callable[[str], str]) -> str:
    style = (_HERE / "cards.css").read_text(encoding="utf-8")
    inner = [cards(section, draw) for section in sections]
    return template(_HERE, "cards.html").render(notes=notes, sections=inner, style=style)


def cards(section: Section, draw: Callable[[str], str] = svg) -> str:
    """Returns a section as HTML, without its style."""
    return template(_HERE, "cards_section.html").render(
        section=section, draw=draw, picture=base64.b64encode(section.picture).decode("ascii")
    )
