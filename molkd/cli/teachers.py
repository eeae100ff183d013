"""`molkd teachers`: what teachers there are, what one is, and its embeddings of a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from molkd import teachers

app = typer.Typer(help="List, show and run teachers.", no_args_is_help=True)

WeightsDir = Annotated[
    Path | None,
    typer.Option("--weights-dir", help="Folder of pretrained weights.", envvar="MOLKD_WEIGHTS_DIR"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

COLUMNS = ("name", "modality", "kind", "dim", "support", "license", "readiness")


@app.command("list")
def list_teachers(weights_dir: WeightsDir = None, as_json: AsJson = False) -> None:
    """List all teachers, and whether each can run here without downloading."""
    from molkd.teachers import catalogue

    entries = [asdict(entry) for entry in catalogue.entries(weights_dir)]
    if as_json:
        print_json(entries)
        return
    print_table(COLUMNS, [[str(entry[column]) for column in COLUMNS] for entry in entries])
    for entry in entries:
        if entry["problem"]:
            typer.echo(entry["problem"], err=True)
    if sys.stdout.isatty():
        prefixes = ", ".join(f"{prefix}:NAME" for prefix in teachers.PREFIXES)
        typer.echo(f"Also by name of another library, or by folder: {prefixes}")


@app.command("show")
def show_teacher(
    name: Annotated[str, typer.Argument(help="Name of a teacher, or prefix:name.")],
    weights_dir: WeightsDir = None,
    as_json: AsJson = False,
) -> None:
    """Show a teacher's card: all that decides its numbers."""
    card = teachers.make(name, weights_dir=weights_dir).card
    facts = {**asdict(card), "digest": card.digest}
    if as_json:
        print_json(facts)
    else:
        print_table(("field", "value"), [[key, _words(value)] for key, value in facts.items()])


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table on a terminal, and tab-separated lines anywhere else."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            typer.echo("\t".join(row))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_json(value: object) -> None:
    """Prints indented JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {value[key]}" for key in value)
    return str(value)
