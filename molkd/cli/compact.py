"""`molkd bench compact`: what neighbours are lost where embeddings are stored in fewer bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import whole_numbers
from molkd.cli.output import notify, print_table
from molkd.errors import InputError


def compact(
    *,
    library: Annotated[
        Path, typer.Argument(help="File of embeddings in 32 bits, as molkd embed writes it.")
    ],
    dimensions: Annotated[
        list[str] | None,
        typer.Option(help="Lengths to which the embedding is cut as well, as 64,128."),
    ] = None,
    queries: Annotated[int, typer.Option(help="Molecules whose neighbours are asked for.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the draw of these molecules.")] = 0,
    model: Annotated[
        str | None, typer.Option(help="The student, where the file does not say it.")
    ] = None,
) -> None:
    """Say which neighbours smaller embeddings still find.


    Of the nearest molecules of some in the library, by the cosine of embeddings in 32 bits, the
    share is printed that is found among those as they would be stored; with a 95 % interval over
    the molecules that were asked for.
    """
    from molkd.library import compact as storing
    from molkd.library import makers, table

    found = table.read(library)
    if found.encoding:
        raise InputError(f"{library} holds {found.encoding} already: embed it again as float32")
    student = makers.student_of(found, model) if model or found.model else None
    reach = getattr(student, "reach", None)
    if reach is None:
        notify("int8 is left out: the student does not say how large its values become")
    kept = storing.compare(
        found.values,
        reach,
        dimensions=whole_numbers(dimensions, "--dimensions"),
        queries=queries,
        seed=seed,
    )
    rows = [
        (
            one.encoding.dtype,
            str(one.encoding.dim),
            str(one.size),
            one.queries,
            *map(str, one.recalls.values()),
        )
        for one in kept
    ]
    among = (f"recall@{count}" for count in storing.AMONG)
    print_table(("dtype", "dimensions", "bytes", "queries", *among), rows)
