"""`molkd bench cost`: what a training step of every variant of an ablation costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.distill import read_smiles
from molkd.cli.embed import Device, Input, InputFormat, Jobs, SmilesColumn
from molkd.cli.teachers import WeightsDir, print_table
from molkd.errors import MolkdError
from molkd.runtime.processes import usable_cores


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
    smiles_column: SmilesColumn = None,
    input_format: InputFormat = None,
    weights_dir: WeightsDir = None,
    device: Device = "auto",
    jobs: Jobs = None,
) -> None:
    """Measure time and memory of a training step of each variant of an ablation.

    Each runs in a fresh process, by turns with the reference. Run again after an interruption, the
    same command goes on where it stopped.
    """
    from molkd.benchmarks import ablations
    from molkd.benchmarks import cost as costs
    from molkd.benchmarks.cost import table

    options = costs.Options(
        steps=steps,
        repeats=repeats,
        threads=threads,
        jobs=usable_cores() if jobs is None else jobs,
    )
    chosen = ablations.load(name)
    smiles, _ = read_smiles(source, smiles_column, input_format)
    sources = ablations.Sources(corpus=smiles, weights_dir=weights_dir, device=device)
    job = costs.Job(ablation=chosen, scale=scale, sources=sources, folder=output, options=options)
    found = costs.run(job, ask=costs.ask, say=lambda text: typer.echo(text, err=True))
    print_table(table.COLUMNS, table.rows(found))
    if all(cell.measured is None for cell in found.cells):
        raise MolkdError("no variant could be measured; see the reasons above")
    typer.echo(f"table: {output / costs.PAGE}", err=True)
