"""`molkd bench`: how good embeddings are, against what, and whether differences are real."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.benchmarks.records import Part
from molkd.cli import analogues, compact, compare, cost, diagnose, price, quality, speed
from molkd.cli.options import (
    Column,
    Device,
    Input,
    InputFormat,
    Jobs,
    WeightsDir,
    several,
)
from molkd.cli.output import print_table
from molkd.cli.results import (
    Cache,
    Data,
    Folder,
    PublishedFolder,
    Reference,
    ReportedPart,
    workspace,
    write_report,
)
from molkd.errors import ConfigError

app = typer.Typer(
    help="Measure quality and speed of embeddings.", no_args_is_help=True, rich_markup_mode=None
)
app.command("quality")(quality.quality)
app.command("speed")(speed.speed)
app.command("cost")(cost.cost)
app.command("price")(price.price)
app.command("diagnose")(diagnose.diagnose)
app.command("analogues")(analogues.analogues)
app.command("compact")(compact.compact)
app.command("compare")(compare.compare)


@app.command("report")
def report(
    *,
    output: Folder,
    reference: Reference = None,
    part: Annotated[
        Part | None,
        typer.Option(help="Rows whose scores are reported. Default: those that the run was for."),
    ] = None,
    published: PublishedFolder = None,
    speed: Annotated[
        Path | None, typer.Option(help="speed.json of `molkd bench speed`, to plot.")
    ] = None,
    similarity: Annotated[
        Path | None, typer.Option(help="Output of `molkd teachers compare --json`, to plot.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="METRIC=WIDTH: differences below are none in practice. Default: AUROC=0.01, "
            "Spearman=0.02, R2=0.02, Accuracy=0.01, V-measure=0.02."
        ),
    ] = None,
) -> None:
    """Write the report of a finished benchmark again.

    More can stand beside its scores: speeds, published figures.
    """
    from molkd.benchmarks import records
    from molkd.benchmarks import speed as speeds
    from molkd.benchmarks.quality.evaluation import RESULTS
    from molkd.runtime import files

    write_report(
        output,
        records.read(output / RESULTS),
        reference,
        published,
        speed=speeds.summary(speeds.read(speed)) if speed else None,
        similarity=files.read_json(similarity) if similarity else None,
        part=part,
        regions=_regions(several(region)),
    )


@app.command("table")
def table(
    *,
    output: Folder,
    embedder: Annotated[
        list[str] | None,
        typer.Option(
            "--embedder", "-e", help="A row: a label, or a published source. Again for more."
        ),
    ] = None,
    group: Annotated[str | None, typer.Option(help="Benchmark. Default: the first.")] = None,
    published: PublishedFolder = None,
) -> None:
    """Print a benchmark as a table: quality, speed, size.

    Scores are those of the probe chosen on validation rows, from most probes that asked all these
    embedders.
    """
    from molkd.benchmarks import records, reports
    from molkd.benchmarks.quality import cost_records
    from molkd.benchmarks.quality.evaluation import RESULTS
    from molkd.benchmarks.statistics import published as figures

    text = reports.table(
        records.reported(records.read(output / RESULTS)),
        embedder or (),
        group=group,
        published=figures.read(published) if published else (),
        costs=cost_records.read(output)[0],
    )
    typer.echo(text, nl=False)


@app.command("join")
def join(
    *,
    folders: Annotated[list[Path], typer.Argument(help="Folders of finished benchmarks.")],
    output: Folder,
    reference: Reference = None,
    published: PublishedFolder = None,
) -> None:
    """Put benchmarks of the same tasks together as one.

    So a slow probe may ask fewer embedders, or take fewer seeds, than a fast one.
    """
    from molkd.benchmarks import records
    from molkd.benchmarks.quality import cost_records, joining
    from molkd.benchmarks.quality.evaluation import RESULTS

    results = joining.joined({folder: records.read(folder / RESULTS) for folder in folders})
    records.write(output / RESULTS, results)
    cost_records.join(folders, output)
    write_report(output, results, reference, published)


@app.command("ablation")
def ablation(  # noqa: PLR0913
    *,
    name: Annotated[str, typer.Argument(help="Name of an ablation, or a TOML file.")],
    source: Input,
    output: Folder,
    scale: Annotated[str, typer.Option(help="minute, hour or day.")] = "minute",
    part: ReportedPart = "test",
    published: PublishedFolder = None,
    data: Data = None,
    cache: Cache = None,
    column: Column = None,
    input_format: InputFormat = None,
    weights_dir: WeightsDir = None,
    device: Device = "auto",
    jobs: Jobs = None,
) -> None:
    """Distil students that differ in one thing; compare them.

    Several seeds each. Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd.benchmarks import ablations
    from molkd.formats.columns import Columns
    from molkd.formats.readers import read_items

    chosen = ablations.load(name)
    style = chosen.modality(chosen.scale(scale)).style
    items, _ = read_items(source, Columns(column, style=style), kind=input_format)
    sources = ablations.Sources(corpus=items, data=data, weights_dir=weights_dir, device=device)
    results = ablations.run(chosen, scale, sources, workspace(output, cache, jobs), part=part)
    write_report(output, results, chosen.reference, published)


@app.command("tasks")
def list_tasks(*, data: Data = None) -> None:
    """List all tasks, and whether their data are on this machine."""
    from molkd.benchmarks import tasks

    rows = [
        (task.key, task.kind, task.metric, "not here" if task.rows is None else str(task.rows))
        for task in tasks.describe(data)
    ]
    print_table(("task", "kind", "metric", "rows"), rows)


def _regions(texts: list[str]) -> dict[str, float]:
    """Reads METRIC=WIDTH."""
    regions: dict[str, float] = {}
    for text in texts:
        metric, _, width = text.partition("=")
        try:
            regions[metric] = float(width)
        except ValueError as error:
            raise ConfigError(f"--region: expected METRIC=WIDTH, got {text!r}") from error
    return regions
