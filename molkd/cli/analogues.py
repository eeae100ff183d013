"""`molkd bench analogues`: whether nearest neighbours are what a chemist calls analogues."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from molkd.cli.options import Jobs, WeightsDir, several
from molkd.cli.output import notify, print_table
from molkd.cli.results import Cache, Data, Folder, workspace


def analogues(  # noqa: PLR0913
    *,
    embedder: Annotated[
        list[str],
        typer.Option(
            "--embedder",
            "-e",
            help="[LABEL=]EMBEDDER: a teacher, molkd:DIR, untrained:SIZE, file:PATH, or A+B. "
            "Takes commas, and may be repeated.",
        ),
    ],
    source: Annotated[
        list[Path],
        typer.Option("--input", "-i", help="File of unlabelled molecules; may be repeated."),
    ],
    output: Folder,
    decoys: Annotated[int, typer.Option(help="Molecules to draw from the files.")] = 100_000,
    neighbours: Annotated[int, typer.Option(help="How many count as the first ones.")] = 50,
    series: Annotated[
        Literal["scaffold", "framework"],
        typer.Option(help="What members of a series share: the harder question is framework."),
    ] = "scaffold",
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    data: Data = None,
    cache: Cache = None,
    weights_dir: WeightsDir = None,
    jobs: Jobs = None,
) -> None:
    """Look for the analogues of actives among decoys.

    Series are actives of one target of MoleculeACE that share a scaffold, or its shape. Each
    embedder is asked by the cosine of its embeddings, as they come and standardised on the decoys,
    beside ECFP4 with Tanimoto. Run again after an interruption, the same command goes on where it
    stopped.
    """
    from molkd.benchmarks import analogues as bench
    from molkd.benchmarks import embedders, tasks
    from molkd.benchmarks.analogues import decoys as drawing
    from molkd.benchmarks.analogues import report
    from molkd.benchmarks.analogues.series import Tables

    settings = bench.AnalogueSettings(neighbours=neighbours, seed=seed, by=series)
    made = [embedders.make(text, weights_dir=weights_dir) for text in several(embedder)]
    compared = bench.compared_with_reference(made)
    space = workspace(output, cache, jobs)
    names, absent = tasks.present(["moleculeace"], data=data)
    if absent:
        notify(f"left out, for their tables are not there: {', '.join(absent)}")
    library = drawing.read(source)
    tables = Tables.of(tasks.load(names, data=data), by=series, jobs=space.jobs, progress=True)
    drawn = drawing.drawn_once(
        library,
        drawing.Excluded(tables.skeletons, tables.scaffolds),
        count=decoys,
        seed=seed,
        cache=space.cache,
        jobs=space.jobs,
        progress=True,
    )
    asked, found = bench.run(compared, tables.series, drawn, settings, space)
    page = report.write(output, asked, found)
    print_table(report.COLUMNS, report.rows(found))
    notify(f"report: {page}")
