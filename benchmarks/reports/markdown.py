"""A report as Markdown, as GitHub reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from molkd.benchmarks.reports.document import Cell, Chapter, Document, Grid

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$#&])")


def render(document: Document) -> str:
    """Returns the report as text; pictures are linked by their file names."""
    facts = ", ".join(f"{escape(value)} {escape(what)}" for what, value in document.facts)
    blocks = [f"# {escape(document.title)}", facts]
    for chapter in document.chapters:
        blocks += _blocks(chapter, level=2)
    return "\n\n".join(block for block in blocks if block) + "\n"


def escape(text: str) -> str:
    """Makes plain text stay plain in Markdown, in a single line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def table(grid: Grid) -> str:
    """Returns a table, under its caption, as a page would show it."""
    return f"{escape(grid.caption)}\n\n{_table(grid)}\n"


def _blocks(chapter: Chapter, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {escape(chapter.title)}"
    yield escape(chapter.lead)
    yield "\n".join(f"- {escape(point)}" for point in chapter.points)
    for picture in chapter.pictures:
        yield f"![{escape(picture.caption)}]({picture.name}.png)"
    for grid in chapter.grids:
        yield escape(grid.caption)
        yield _table(grid)
    for part in chapter.parts:
        yield from _blocks(part, level=level + 1)


def _table(grid: Grid) -> str:
    spans = [title for title, count in grid.spans for _ in range(count)] or [""] * len(grid.header)
    titles = [
        escape(f"{span}: {cell.text}" if span else cell.text)
        for span, cell in zip(spans, grid.header, strict=True)
    ]
    rule = [":--" if side == "l" else "--:" for side in grid.align]
    lines = [titles, rule, *([_cell(cell) for cell in row] for row in grid.rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(cell: Cell) -> str:
    return f"**{escape(cell.text)}**" if cell.best else escape(cell.text)
