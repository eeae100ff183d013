"""`molkd check`: does the student know the chemistry of a library?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import Jobs, Overwrite, processes
from molkd.cli.output import notify
from molkd.errors import OutputError


def check(
    library: Annotated[Path, typer.Argument(help="File of embeddings, or of molecules.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Scores: .csv or .parquet.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="Student that embeds, or embedded. Default: what the file says."
        ),
    ] = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Score how familiar molecules are to the student, from 0 to 1, with a reason.

    A score is about the share of the distillation corpus that is stranger; 0 says that an element,
    a charge or a size never occurred. The embedding says less of a molecule where it is low.
    """
    from molkd.library import checking, table

    checking.check_suffix(output)
    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists: give --overwrite to replace it")
    at_once = processes(jobs)
    work = output.with_name(f"{output.stem}.embeddings.parquet")
    opened = table.opened(library, work=work, model=model, keep=(), jobs=at_once)
    student = table.student_of(opened, model)
    found = checking.check(opened, student, jobs=at_once)
    found.write(output)
    notify(f"{found.describe()}\n{output}")
