"""`molkd search`: nearest neighbours of molecules in an embedded library."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from molkd.cli.output import notify, print_table
from molkd.errors import ConfigError

if TYPE_CHECKING:  # it loads torch
    from molkd.library import Hits, Queries, Searchable

SHOWN = ("query", "rank", "id", "SMILES", "cosine", "Tanimoto")
"""Columns that are printed where no file is named."""


def search(  # noqa: PLR0913
    *,
    library: LibraryFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File: .csv, .parquet, or .html with drawings. Default: a printed table.",
        ),
    ] = None,
    query: Annotated[
        list[str] | None, typer.Option("--query", "-q", help="A SMILES; may be repeated.")
    ] = None,
    queries: Annotated[
        str | None, typer.Option(help="File of molecules, in any format that embed reads.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours of each query.")] = 10,
    rank_by: Annotated[
        str,
        typer.Option(
            help="cosine of the embeddings, tanimoto on ECFP4, or the mean of both; the last two "
            "among the nearest by cosine."
        ),
    ] = "cosine",
    candidates: Annotated[
        int, typer.Option(help="How many of the nearest by cosine are ranked anew.")
    ] = 100,
    index: Annotated[
        Path | None,
        typer.Option(help="Folder of an index: made where there is none, else used."),
    ] = None,
    column: SmilesColumn = None,
    work: Work = None,
    model: MadeBy = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Find the nearest neighbours of molecules in a library.

    By cosine of the embeddings, with Tanimoto on ECFP4 beside it. LIBRARY is a file of embeddings,
    one of molecules (which is embedded first), or an index. Without an index all rows are compared;
    one is worth its making for many searches among hundreds of thousands.
    """
    from molkd import library as workbench
    from molkd.library.results import refuse_output

    if output is not None:
        refuse_output(output, overwrite=overwrite, inputs=(library, queries, work))
    asked = _asked(query, queries)
    place = _place(library, index, work, model, column, jobs=processes(jobs))
    hits = workbench.search(place, asked, k=k, rank_by=rank_by, candidates=candidates, model=model)
    for note in hits.notes:
        notify(note)
    if output is None:
        print_table(SHOWN, _lines(hits))
        return
    hits.write(output)
    notify(f"{hits}: {output}")


def _lines(hits: Hits) -> list[tuple[str, ...]]:
    """The neighbours as cells of a printed table."""
    return [
        (
            hits.queries.ids[query] or f"query {query}",
            str(rank),
            hit.id or f"row {hit.row}",
            hit.smiles,
            f"{hit.cosine:.3f}",
            "" if math.isnan(hit.tanimoto) else f"{hit.tanimoto:.2f}",
        )
        for query, found in hits.neighbours.items()
        for rank, hit in enumerate(found, 1)
    ]


def _asked(texts: list[str] | None, file: str | None) -> Queries:
    from molkd.library import Queries

    if bool(texts) == bool(file):
        raise ConfigError("give molecules to look for one way: -q SMILES, or --queries FILE")
    return Queries.read(file) if file else Queries.of(texts or [])


def _place(
    library: str,
    index: Path | None,
    work: Path | None,
    model: str | None,
    column: str | None,
    *,
    jobs: int,
) -> Searchable:
    """What is searched: an index that was named, one of the library, or all its rows."""
    from molkd.library import Index, build, rows_of

    if Index.is_one(library):
        if index is not None:
            raise ConfigError(f"{library} is an index itself: leave --index out")
        return Index.open(library)
    rows = rows_of(embedded(library, work, model, jobs, column=column))
    if index is None:
        return rows
    if not index.exists():
        made = build(rows, index)
        notify(f"{index}: {made.facts}")
        return made
    found = Index.open(index)
    found.refuse_other(rows)
    return found
