"""`molkd check`: does the student know the chemistry of a library?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import (
    Jobs,
    LibraryFile,
    MadeBy,
    Overwrite,
    SmilesColumn,
    Work,
    embedded,
    processes,
)
from molkd.cli.output import notify


def check(
    library: LibraryFile,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Scores: .csv, .parquet, or .html with drawings.")
    ],
    column: SmilesColumn = None,
    work: Work = None,
    model: MadeBy = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Score how familiar molecules are to the student.

    A score is about the share of the distillation corpus that is stranger; 0 says that an element,
    a charge or a size never occurred. The embedding says less of a molecule where it is low.
    """
    from molkd.library import checking, makers, table
    from molkd.library.results import refuse_output

    refuse_output(output, overwrite=overwrite, inputs=(library, work))
    at_once = processes(jobs)
    rows = table.read(embedded(library, work, model, at_once, column=column))
    found = checking.check(rows, makers.student_of(rows, model), jobs=at_once)
    found.write(output)
    notify(f"{found.describe()}\n{output}")
