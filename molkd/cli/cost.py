"""`molkd bench cost`: what a training step of every variant of an ablation costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import Column, Device, Input, InputFormat, Jobs, WeightsDir, processes
from molkd.cli.output import notify, print_table
from molkd.errors import MolkdError


def cost(  # noqa: PLR0913
    *,
    name: Annotated[str, typer.Argument(help="Name of an ablation, or a TOML file.")],
    source: Input,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder of cost.json and cost.md; may be the ablation's own."
        ),
    ],
    scale: Annotated[str, typer.Option(help="minute, hour or day.")] = "minute",
    steps: Annotated[int, typer.Option(help="Training steps of a round.")] = 8,
    repeats: Annotated[int, typer.Option(help="Rounds of a variant.")] = 3,
    threads: Annotated[int, typer.Option(help="Threads of the computation.")] = 1,
    column: Column = None,
    input_format: InputFormat = None,
    weights_dir: WeightsDir = None,
    device: Device = "auto",
    jobs: Jobs = None,
) -> None:
    """Measure what a training step of each variant costs.

    Time and memory of all variants of an ablation: each runs in a fresh process, by turns with the
    reference. Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd.benchmarks import ablations
    from molkd.benchmarks import cost as costs
    from molkd.benchmarks.cost import table
    from molkd.formats.columns import Columns
    from molkd.formats.readers import read_items

    options = costs.CostOptions(steps=steps, repeats=repeats, threads=threads, jobs=processes(jobs))
    ablation = ablations.load(name)
    smiles, _ = read_items(source, Columns(column), kind=input_format)
    sources = ablations.Sources(corpus=smiles, weights_dir=weights_dir, device=device)
    job = costs.CostJob(
        ablation=ablation, scale=scale, sources=sources, folder=output, options=options
    )
    results = costs.run(job, measure=costs.measure, say=notify)
    print_table(table.COLUMNS, table.rows(results))
    if all(cell.measured is None for cell in results.cells):
        raise MolkdError("no variant could be measured; see the reasons above")
    notify(f"table: {output / costs.PAGE}")
