"""`molkd bench`: how good embeddings are, against what, and whether differences are real."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from molkd.cli import cost, diagnose, speed
from molkd.cli.options import (
    Column,
    Device,
    Input,
    InputFormat,
    Jobs,
    WeightsDir,
    processes,
    several,
    whole_numbers,
)
from molkd.cli.output import notify, print_table
from molkd.errors import ConfigError

if TYPE_CHECKING:  # pandas, scikit-learn and torch are imported when a command runs
    from molkd.benchmarks.quality.evaluation import Workspace
    from molkd.benchmarks.records import Results

app = typer.Typer(
    help="Measure quality and speed of embeddings.", no_args_is_help=True, rich_markup_mode=None
)
app.command("speed")(speed.speed)
app.command("cost")(cost.cost)
app.command("diagnose")(diagnose.diagnose)

Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder of results and report.")]
Data = Annotated[
    Path | None, typer.Option(help="Folder of benchmark data.", envvar="MOLKD_DATA_DIR")
]
Download = Annotated[
    bool, typer.Option("--download", help="Fetch tables that are missing, once, with a checksum.")
]
Cache = Annotated[
    Path | None,
    typer.Option(help="Folder that keeps embeddings between runs. Default: the user's cache."),
]
Reference = Annotated[
    str | None,
    typer.Option(help="Label that is tested against all others. Default: the first student."),
]
Part = Annotated[
    Literal["test", "valid"],
    typer.Option(help="Rows whose scores are reported: choices are made on valid."),
]
PublishedFolder = Annotated[
    Path | None, typer.Option("--published", help="Folder of published figures, to show beside.")
]


@app.command("quality")
def quality(  # noqa: PLR0913
    *,
    embedder: Annotated[
        list[str],
        typer.Option(
            "--embedder",
            "-e",
            help="[LABEL=]EMBEDDER: a teacher, molkd:DIR, untrained:SIZE, file:PATH, A+B, or "
            "pca:N:A+B. This and all options that name several things take commas, and may be "
            "repeated.",
        ),
    ],
    output: Folder,
    tasks: Annotated[
        list[str] | None,
        typer.Option(help="Groups and tasks of `molkd bench tasks`. Default: tdc-admet."),
    ] = None,
    present: Annotated[
        bool,
        typer.Option("--present", help="Of groups, take only tasks whose tables are in --data."),
    ] = False,
    table: Annotated[str | None, typer.Option(help="A table of your own, or mteb:FOLDER.")] = None,
    column: Column = None,
    label_column: Annotated[
        list[str] | None, typer.Option(help="Of your table: one or several.")
    ] = None,
    split_column: Annotated[str | None, typer.Option(help="Of your table: train or test.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Of your table: year or date.")] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="Of your table: AUROC, AUPRC, Accuracy, MAE, RMSE, R2, Spearman."),
    ] = None,
    log10: Annotated[
        bool, typer.Option("--log10", help="Fit your table's labels as logarithms.")
    ] = False,
    probe: Annotated[
        list[str] | None,
        typer.Option(help="linear, knn, mlp, boosting, forest, pls, mean. Default: linear."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds of splits and probes.")] = 5,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="given, random, scaffold, cluster, time: how to split all tasks, one way after "
            "the other. Default: each its own way."
        ),
    ] = None,
    labelled: Annotated[
        list[str] | None,
        typer.Option(help="Learning curves: numbers of labelled rows, as 10,30,100,300,1000."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Learning curves: draws of labelled rows.")] = 10,
    baselines: Annotated[
        bool, typer.Option(help="Add plain embeddings, an untrained student, the oracle.")
    ] = True,
    with_teachers: Annotated[
        bool, typer.Option("--with-teachers", help="Add the students' teachers one by one.")
    ] = False,
    reference: Reference = None,
    corpus: Annotated[
        Path | None, typer.Option(help="Molecules of the distillation, to count leakage.")
    ] = None,
    exclude_leaked: Annotated[
        bool, typer.Option("--exclude-leaked", help="Leave leaked test molecules out.")
    ] = False,
    published: PublishedFolder = None,
    data: Data = None,
    download: Download = False,
    cache: Cache = None,
    weights_dir: WeightsDir = None,
    jobs: Jobs = None,
    cost: Annotated[
        bool, typer.Option(help="Time each embedder on 200 items, and say so beside its scores.")
    ] = True,
) -> None:
    """Probe embedders on labelled tasks and write a report.

    Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd.benchmarks import embedders
    from molkd.benchmarks import tasks as registry
    from molkd.benchmarks.quality import embedding_cost, evaluation, leakage
    from molkd.benchmarks.tasks import own, splitting

    settings = evaluation.QualitySettings(
        probes=tuple(several(probe) or ["linear"]),
        seeds=seeds,
        splits=tuple(splitting.check_method(name) for name in several(split)),
        labelled=tuple(whole_numbers(labelled, "--labelled")),
        draws=draws,
    )
    if exclude_leaked and corpus is None:
        raise ConfigError("--exclude-leaked needs --corpus, the molecules of the distillation")
    own_tasks = []
    if table:
        own_tasks = own.read(
            table,
            column=column,
            label_columns=several(label_column),
            metric=metric,
            split_column=split_column,
            time_column=time_column,
            scale="log10" if log10 else "linear",
        )
    names = several(tasks) or ([] if table else ["tdc-admet"])
    absent: list[str] = []
    if present and download:
        raise ConfigError("--present takes what is there, --download what is not: choose one")
    if present:
        names, absent = registry.present(names, data=data)
    if absent:
        notify(f"left out, for their tables are not there: {', '.join(absent)}")
    selected = registry.load(names, own=own_tasks, data=data, download=download)
    compared = [embedders.make(text, weights_dir=weights_dir) for text in several(embedder)]
    if baselines:
        compared, notes = embedders.with_baselines(
            compared, teachers=with_teachers, weights_dir=weights_dir
        )
        for note in notes:
            notify(note)
    space = _workspace(output, cache, jobs)
    counts, leaked = {}, {}
    if corpus:
        counts, leaked = leakage.of_file(
            corpus, selected, cache=space.cache, jobs=space.jobs, progress=True
        )
    results = evaluation.evaluate(
        selected,
        compared,
        settings,
        space,
        excluded=leaked if exclude_leaked else None,
        leakage=counts,
        absent=absent,
    )
    if cost:
        embedding_cost.measure(compared, selected, output, weights_dir=weights_dir)
    _report(output, results, reference, published)


@app.command("report")
def report(
    *,
    output: Folder,
    reference: Reference = None,
    part: Part = "test",
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

    _report(
        output,
        records.read(output / RESULTS),
        reference,
        published,
        speed=speeds.summary(speeds.read(speed)) if speed else None,
        similarity=files.read_json(similarity) if similarity else None,
        part=part,
        regions=_regions(several(region)),
    )


@app.command("join")
def join(
    *,
    folders: Annotated[list[Path], typer.Argument(help="Folders of finished benchmarks.")],
    output: Folder,
    reference: Reference = None,
    published: PublishedFolder = None,
) -> None:
    """Put benchmarks of the same tasks together, and report them as one.

    So a slow probe may ask fewer embedders, or take fewer seeds, than a fast one.
    """
    from molkd.benchmarks import records
    from molkd.benchmarks.quality import cost_records, joining
    from molkd.benchmarks.quality.evaluation import RESULTS

    results = joining.joined({folder: records.read(folder / RESULTS) for folder in folders})
    records.write(output / RESULTS, results)
    cost_records.join(folders, output)
    _report(output, results, reference, published)


@app.command("ablation")
def ablation(  # noqa: PLR0913
    *,
    name: Annotated[str, typer.Argument(help="Name of an ablation, or a TOML file.")],
    source: Input,
    output: Folder,
    scale: Annotated[str, typer.Option(help="minute, hour or day.")] = "minute",
    part: Part = "test",
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
    results = ablations.run(chosen, scale, sources, _workspace(output, cache, jobs))
    _report(output, results, chosen.reference, published, part=part)


@app.command("tasks")
def list_tasks(*, data: Data = None) -> None:
    """List all tasks, and whether their data are on this machine."""
    from molkd.benchmarks import tasks

    rows = [
        (task.key, task.kind, task.metric, "not here" if task.rows is None else str(task.rows))
        for task in tasks.describe(data)
    ]
    print_table(("task", "kind", "metric", "rows"), rows)


def _workspace(output: Path, cache: Path | None, jobs: int | None) -> Workspace:
    from molkd.benchmarks.embedders.store import cache_dir
    from molkd.benchmarks.quality.evaluation import Workspace

    return Workspace(folder=output, cache=cache_dir(cache), jobs=processes(jobs))


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


def _report(
    folder: Path,
    results: Results,
    reference: str | None,
    published: Path | None,
    *,
    part: str = "test",
    **beside: Mapping[str, Any] | None,
) -> None:
    """Writes the report, prints what can be concluded, and says where it is."""
    from molkd.benchmarks import records, reports, statistics
    from molkd.benchmarks.quality import cost_records
    from molkd.benchmarks.reports import assemble
    from molkd.benchmarks.statistics import published as figures
    from molkd.benchmarks.statistics import sentences

    if part == "valid":
        results = records.on_validation_rows(results)
    others = figures.read(published) if published else ()
    costs, _ = cost_records.read(folder)
    page, *_ = reports.write(
        folder, results, reference=reference, published=others, costs=costs, **beside
    )
    for section in statistics.tables(results):
        compared = statistics.compare(section.table, assemble.reference_of(results, reference))
        for sentence in sentences.sentences(section, compared):
            typer.echo(sentence)
    notify(f"report: {page}")
