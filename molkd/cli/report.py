"""`molkd report`: one page about a library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

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


def report(  # noqa: PLR0913
    *,
    library: LibraryFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, .html.")],
    drugs: Annotated[
        str | None,
        typer.Option(
            help="File of molecules whose neighbours are shown. Default: seventy known drugs."
        ),
    ] = None,
    clusters: Annotated[
        int | None, typer.Option(help="How many. Default: 2 to 24, with the size of the library.")
    ] = None,
    layout: Annotated[
        Literal["pca", "umap"], typer.Option(help="Of the map: the quick one, or the telling one.")
    ] = "pca",
    column: SmilesColumn = None,
    work: Work = None,
    model: MadeBy = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Write one page about a library.

    Sizes, failures with reasons, duplicates and stereoisomers, a map, clusters with their most
    central molecules, and what is nearest to known drugs.
    """
    from molkd import library as workbench
    from molkd.library.results import refuse_output

    refuse_output(output, overwrite=overwrite, inputs=(library, drugs, work), suffixes=(".html",))
    at_once = processes(jobs)
    rows = workbench.read(embedded(library, work, model, at_once, column=column))
    made = workbench.report_of(
        rows,
        drugs=workbench.Queries.read(drugs) if drugs else None,
        clusters_count=clusters,
        layout=layout,
        model=model,
        title=Path(library).name,
        jobs=at_once,
    )
    made.write(output)
    notify(f"{len(rows):,} molecules, {len(rows.reasons):,} of them without embedding: {output}")
