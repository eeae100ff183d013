"""What commands print: tables and JSON on stdout, what else there is to say on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table on a terminal, and tab-separated lines anywhere else."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_json(value: object) -> None:
    """Prints indented JSON; arrays become lists and NaN None, as JSON knows neither."""
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def notify(text: str) -> None:
    """Prints a line on stderr; nothing where the text is empty."""
    if text:
        typer.echo(text, err=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, float):
        return value if value == value else None  # noqa: PLR0124 (NaN is not itself)
    if isinstance(value, str | int | None):
        return value
    return [_plain(inner) for inner in (value.tolist() if hasattr(value, "tolist") else value)]
