"""What a report says, before it is Markdown or HTML: chapters of sentences, tables and pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from molkd.benchmarks.reports.panels import Panel


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: plain text, escaped by who writes it.
        best: whether it is the best of its row or column.
        role: of the embedder it names; "" where it names none.
    """

    text: str
    best: bool = False
    role: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        caption: what it shows and how to read it.
        header: c titles.
        rows: c cells each; the first names the row.
        align: c letters, "l" or "r".
        spans: (title, columns) that stand above the header, from the left; empty for none.
        foreign: number of columns at the right that are not ours.
    """

    caption: str
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    align: str
    spans: tuple[tuple[str, int], ...] = ()
    foreign: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure.

    Attributes:
        name: unique within the report; the name of its PNG file, without the ending.
        caption: what it shows and how to read it.
        panels: its drawings.
        narrow: the same drawings for a narrow screen; empty where they serve for both.
        small: whether they are small multiples, of which several stand in a row.
    """

    name: str
    caption: str
    panels: tuple[Panel, ...]
    narrow: tuple[Panel, ...] = ()
    small: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a report.

    Attributes:
        title: its heading.
        lead: a paragraph, or "".
        points: sentences, as a list.
        pictures: figures.
        grids: tables.
        parts: chapters within.
        beside: whether on a wide screen a picture stands beside what is said or tabled about it.
    """

    title: str
    lead: str = ""
    points: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    grids: tuple[Grid, ...] = ()
    parts: tuple[Chapter, ...] = ()
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A report.

    Attributes:
        title: its heading.
        facts: (what, how many), for the head of the report.
        chapters: its chapters.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    chapters: tuple[Chapter, ...]

    @property
    def pictures(self) -> list[Picture]:
        """All pictures, in order."""

        def within(chapter: Chapter) -> list[Picture]:
            return [*chapter.pictures, *(p for part in chapter.parts for p in within(part))]

        return [picture for chapter in self.chapters for picture in within(chapter)]


def slug(*parts: str) -> str:
    """Returns a name for a file from any text."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-") or "section"


def unique(names: Sequence[str]) -> list[str]:
    """Returns the same names, with numbers where one occurs again."""
    found: list[str] = []
    for name in names:
        number, free = 2, name
        while free in found:
            free, number = f"{name}-{number}", number + 1
        found.append(free)
    return found
