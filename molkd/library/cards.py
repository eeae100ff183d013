"""Drawn molecules in a page that needs nothing beside itself, and in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from molkd.library.drawing import svg
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
    """Some molecules that belong together.

    Attributes:
        title: what they are.
        smiles: the molecule that they belong to, drawn before them; "" where there is none.
        note: a sentence about them.
        cards: the molecules.
    """

    title: str
    smiles: str
    note: str
    cards: tuple[Card, ...]


def page(title: str, notes: Sequence[str], sections: Sequence[Section]) -> str:
    """Returns an HTML page: styles and drawings within, no script, nothing from a network."""
    return template(_HERE, "cards_page.html").render(title=title, inner=fragment(notes, sections))


def fragment(notes: Sequence[str], sections: Sequence[Section]) -> str:
    """Returns the inner part of a page, with its style: what a notebook shows."""
    style = (_HERE / "cards.css").read_text(encoding="utf-8")
    inner = [cards(section) for section in sections]
    return template(_HERE, "cards.html").render(notes=notes, sections=inner, style=style)


def cards(section: Section) -> str:
    """Returns a section as HTML, without its style."""
    return template(_HERE, "cards_section.html").render(section=section, svg=svg)
