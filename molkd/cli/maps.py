"""`molkd map`: a library as a page to look around in, as a figure, as a table of places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.flags import Flag, takes_settings
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
from molkd.library.maps.settings import MapSettings

FLAGS = (
    Flag("layout"),
    Flag("seed"),
    Flag("neighbours"),
    Flag("clusters"),
    Flag("color"),
    Flag("categories"),
    Flag("title"),
)


@takes_settings(MapSettings, FLAGS)
def draw_map(  # noqa: PLR0913
    *,
    settings: MapSettings,
    library: LibraryFile,
    outputs: Annotated[
        list[Path],
        typer.Option(
            "--output",
            "-o",
            help=".html, .png, or a table of places, .csv or .parquet; may be repeated.",
        ),
    ],
    coordinates: Annotated[
        Path | None, typer.Option(help="Table of places that an earlier map wrote: drawn again.")
    ] = None,
    select: Annotated[
        Path | None, typer.Option(help="File of identifiers that are selected at first.")
    ] = None,
    drawings: Annotated[
        bool | None,
        typer.Option(
            "--drawings/--no-drawings",
            help="Whether a page holds drawn molecules. Default: up to 250,000 rows.",
        ),
    ] = None,
    column: SmilesColumn = None,
    work: Work = None,
    model: MadeBy = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Draw a map of a library: molecules that are alike lie together.

    The page needs nothing beside itself: it draws the molecule under the pointer, colours by any
    column, filters, and saves what is selected as CSV or SDF.
    """
    from molkd.library import map_of, read, student_of
    from molkd.library.maps import coordinates as tables
    from molkd.library.maps.map import FORMATS
    from molkd.library.results import refuse_output

    for path in outputs:
        given = (library, coordinates, select, work)
        refuse_output(path, overwrite=overwrite, inputs=given, suffixes=FORMATS)
    settings = replace(
        settings,
        title=settings.title or Path(library).name,
        drawings=settings.drawings if drawings is None else drawings,
    )
    chosen = tables.identifiers(select) if select else ()
    rows = read(embedded(library, work, model, processes(jobs), column=column))
    if model is not None:
        student_of(rows, model)
    places = tables.read(coordinates, rows) if coordinates else None
    drawn = map_of(rows, settings, places=places, selected=chosen)
    for path in outputs:
        drawn.save(path, jobs=processes(jobs))
    notify(f"{len(drawn.rows)} molecules by {drawn.layout.words}: {', '.join(map(str, outputs))}")
    if rows.reasons:
        row, why = next(iter(rows.reasons.items()))
        count = len(rows.reasons)
        verb, first = ("row is", "") if count == 1 else ("rows are", "the first of them ")
        notify(f"{count} {verb} not drawn: {first}row {row}, {why}")
