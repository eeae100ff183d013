"""`molkd pick`: a diverse subset of an embedded library, or its clusters."""

from __future__ import annotations

from typing import Annotated

import typer

from molkd.cli.options import (
    Jobs,
    LibraryFile,
    MadeBy,
    Overwrite,
    Result,
    SmilesColumn,
    Work,
    embedded,
    processes,
)
from molkd.cli.output import notify
from molkd.errors import ConfigError


def pick(  # noqa: PLR0913
    *,
    library: LibraryFile,
    output: Result,
    number: Annotated[
        int | None, typer.Option("-n", help="Molecules to pick.", show_default="100")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="maxmin reaches the edges: each is the farthest from all before; kmedoids follows "
            "the density: the most central of each of n clusters."
        ),
    ] = "maxmin",
    around: Annotated[
        str | None, typer.Option(help="File of molecules that count as picked already.")
    ] = None,
    clusters: Annotated[
        int | None,
        typer.Option(help="Label all rows with so many clusters instead of picking some."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first centres of clusters.")] = 0,
    column: SmilesColumn = None,
    work: Work = None,
    model: MadeBy = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Pick molecules that differ, or part a library into clusters.

    By cosine of the embeddings. LIBRARY is a file of embeddings, or one of molecules, which is
    embedded first.
    """
    from molkd import library as workbench
    from molkd.library.results import refuse_output

    refuse_output(output, overwrite=overwrite, inputs=(library, around, work))
    if clusters is not None and (number is not None or around is not None):
        raise ConfigError("--clusters labels all rows: leave -n and --around out")
    seeds = workbench.Queries.read(around) if around else ()
    file = embedded(library, work, model, processes(jobs), column=column)
    if clusters is not None:
        found = workbench.clusters(file, clusters, seed=seed)
    else:
        found = workbench.pick(
            file,
            100 if number is None else number,
            method=method,
            around=seeds,
            seed=seed,
            model=model,
        )
    found.write(output)
    for note in found.notes:
        notify(note)
    notify(f"{found}: {output}")
