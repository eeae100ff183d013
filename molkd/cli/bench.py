"""`molkd bench`: how good embeddings are, against what, and whether differences are real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from molkd.cli import cost, diagnose, speed
from molkd.cli.distill import read_items
from molkd.cli.embed import Device, Input, InputFormat, Jobs, SmilesColumn
from molkd.cli.teachers import WeightsDir, print_table
from molkd.errors import ConfigError
from molkd.runtime.processes import usable_cores

if TYPE_CHECKING:  # pandas, scikit-learn and torch are imported when a command runs
    from molkd.benchmarks.quality.evaluation import Place
    from molkd.benchmarks.records import Results
    from molkd.benchmarks.tasks.task import Task
    from molkd.types import Mask

app = typer.Typer(help="Measure quality and speed of embeddings.", no_args_is_help=True)
app.command("speed")(speed.speed)
app.command("cost")(cost.cost)
app.command("diagnose")(diagnose.diagnose)

Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder of results and report.")]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder of benchmark data.", envvar="MOLKD_DATA_DIR"),
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
            "pca:N:A+B; again for more.",
        ),
    ],
    output: Folder,
    task: Annotated[
        str | None,
        typer.Option(
            "--tasks", help="Groups and tasks, by commas; `molkd bench tasks`. Default: tdc-admet."
        ),
    ] = None,
    table_file: Annotated[
        Path | None, typer.Option("--task", help="A table of your own, or mteb:FOLDER.")
    ] = None,
    smiles_column: SmilesColumn = None,
    label_column: Annotated[
        list[str] | None, typer.Option(help="Of your table; may be given several times.")
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
    probe: Annotated[str, typer.Option(help="linear, knn, mlp, boosting; by commas.")] = "linear",
    seeds: Annotated[int, typer.Option(help="Number of seeds of splits and probes.")] = 5,
    split: Annotated[
        Literal["given", "random", "scaffold", "cluster", "time"] | None,
        typer.Option(help="How to split all tasks. Default: each its own way."),
    ] = None,
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
) -> None:
    """Probe embedders on labelled tasks and report what can be concluded.

    Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd.benchmarks import embedders as makers
    from molkd.benchmarks import tasks
    from molkd.benchmarks.quality import evaluation
    from molkd.benchmarks.tasks import mteb, table

    settings = evaluation.QualitySettings(probes=tuple(probe.split(",")), seeds=seeds, split=split)
    asked = tasks.load(_names(task, own=table_file), data=data, download=download)
    owned: list[Task] = []
    if table_file and str(table_file).startswith(mteb.PREFIX):
        owned += mteb.read_all(Path(str(table_file).removeprefix(mteb.PREFIX)))
    elif table_file:
        own = table.read(
            table_file,
            smiles_column=smiles_column,
            label_columns=label_column,
            metric=metric or _missing("--metric", table_file),
            split_column=split_column,
            time_column=time_column,
            scale="log10" if log10 else "linear",
        )
        owned.append(own)
    for own in owned:
        if own.name in {one.name for one in asked}:
            raise ConfigError(f"{table_file} and a task of --tasks are both named {own.name!r}")
        asked.append(own)
    made = [makers.make(text, weights_dir=weights_dir) for text in embedder]
    if baselines:
        made, notes = makers.with_baselines(made, teachers=with_teachers, weights_dir=weights_dir)
        for note in notes:
            typer.echo(note, err=True)
    place = _place(output, cache, jobs)
    counted, excluded = _leakage(corpus, asked, place, exclude=exclude_leaked)
    found = evaluation.evaluate(asked, made, settings, place, excluded=excluded, leakage=counted)
    _report(output, found, reference, published)


@app.command("report")
def report(
    *,
    output: Folder,
    reference: Reference = None,
    published: PublishedFolder = None,
    speed: Annotated[
        Path | None, typer.Option(help="speed.json of `molkd bench speed`, to plot.")
    ] = None,
    similarity: Annotated[
        Path | None, typer.Option(help="Output of `molkd teachers compare --json`, to plot.")
    ] = None,
) -> None:
    """Write the report of a finished benchmark again, with more beside it."""
    from molkd.benchmarks import records as results
    from molkd.benchmarks.quality.evaluation import RESULTS
    from molkd.benchmarks.speed import records
    from molkd.runtime import files

    _report(
        output,
        results.read(output / RESULTS),
        reference,
        published,
        speed=records.summary(records.read(speed)) if speed else None,
        similarity=files.read_json(similarity) if similarity else None,
    )


@app.command("ablation")
def ablation(  # noqa: PLR0913
    *,
    name: Annotated[str, typer.Argument(help="Name of an ablation, or a TOML file.")],
    source: Input,
    output: Folder,
    scale: Annotated[str, typer.Option(help="minute, hour or day.")] = "minute",
    published: PublishedFolder = None,
    data: Data = None,
    cache: Cache = None,
    smiles_column: SmilesColumn = None,
    input_format: InputFormat = None,
    weights_dir: WeightsDir = None,
    device: Device = "auto",
    jobs: Jobs = None,
) -> None:
    """Distil students that differ in one thing, several seeds each, and compare them.

    Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd.benchmarks import ablations
    from molkd.formats.rows import Columns

    chosen = ablations.load(name)
    style = chosen.modality(chosen.scale(scale)).style
    items, _ = read_items(source, Columns(smiles_column, style=style), input_format)
    sources = ablations.Sources(corpus=items, data=data, weights_dir=weights_dir, device=device)
    found = ablations.run(chosen, scale, sources, _place(output, cache, jobs))
    _report(output, found, chosen.reference, published)


@app.command("tasks")
def list_tasks(*, data: Data = None) -> None:
    """List all tasks, and whether their data are on this machine."""
    from molkd.benchmarks import tasks

    rows = [
        (task.key, task.kind, task.metric, "not here" if task.rows is None else str(task.rows))
        for task in tasks.describe(data)
    ]
    print_table(("task", "kind", "metric", "rows"), rows)


def _names(task: str | None, *, own: Path | None) -> list[str]:
    if task is None:
        return [] if own else ["tdc-admet"]
    return task.split(",")


def _missing(option: str, table: Path) -> str:
    raise ConfigError(
        f"{option} is needed for {table}: AUROC or AUPRC for classes 0 and 1, Accuracy for more, "
        "MAE, RMSE, R2 or Spearman for values"
    )


def _place(output: Path, cache: Path | None, jobs: int | None) -> Place:
    import platformdirs

    from molkd.benchmarks.quality.evaluation import Place

    kept = cache or Path(platformdirs.user_cache_dir("molkd")) / "embeddings"
    return Place(folder=output, cache=kept, jobs=usable_cores() if jobs is None else jobs)


def _leakage(
    corpus: Path | None, asked: Sequence[Task], place: Place, *, exclude: bool
) -> tuple[Mapping[str, Mapping[str, int]], Mapping[str, Mask]]:
    """What is counted of the distillation's molecules among the tasks, and rows to leave out."""
    if corpus is None:
        if exclude:
            raise ConfigError("--exclude-leaked needs --corpus, the molecules of the distillation")
        return {}, {}
    from molkd.benchmarks.quality import leakage

    jobs = place.jobs
    seen = leakage.known_of_file(corpus, cache=place.cache, jobs=jobs, progress=place.progress)
    counted = leakage.count(seen, asked, jobs=jobs)
    excluded = {task.name: leakage.leaked(seen, task, jobs=jobs) for task in asked}
    return counted, excluded if exclude else {}


def _report(
    folder: Path,
    found: Results,
    reference: str | None,
    published: Path | None,
    **beside: Mapping[str, Any] | None,
) -> None:
    """Writes the report, prints what can be concluded, and says where it is."""
    from molkd.benchmarks import reports, statistics
    from molkd.benchmarks.reports import assemble
    from molkd.benchmarks.statistics import published as figures
    from molkd.benchmarks.statistics import sentences

    others = figures.read(published) if published else ()
    page, *_ = reports.write(folder, found, reference=reference, published=others, **beside)
    for section in statistics.tables(found):
        compared = statistics.compare(section.table, assemble.reference_of(found, reference))
        for sentence in sentences.sentences(section, compared):
            typer.echo(sentence)
    typer.echo(f"report: {page}", err=True)
