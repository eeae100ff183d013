"""`molkd teachers`: what teachers there are, what one is, and its embeddings of a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from molkd import teachers
from molkd.cli.options import AsJson, WeightsDir
from molkd.cli.output import notify, print_json, print_table

app = typer.Typer(help="List, show and run teachers.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = ("name", "modality", "kind", "dim", "support", "license", "readiness")


@app.command("list")
def list_teachers(weights_dir: WeightsDir = None, as_json: AsJson = False) -> None:
    """List all teachers, and whether each can run here.

    Where weights are missing, they are downloaded first or have to be put there.
    """
    from molkd.teachers import catalogue

    entries = [asdict(entry) for entry in catalogue.entries(weights_dir)]
    if as_json:
        print_json(entries)
        return
    print_table(COLUMNS, [[str(entry[column]) for column in COLUMNS] for entry in entries])
    for entry in entries:
        notify(entry["problem"])
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
        print_table(("field", "value"), [[key, _as_text(value)] for key, value in facts.items()])


def _as_text(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {value[key]}" for key in value)
    return str(value)
