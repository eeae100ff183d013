"""What the commands that write results share: their options, workspace and report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molkd.benchmarks.records import Part
from molkd.cli.options import processes
from molkd.cli.output import notify

if TYPE_CHECKING:  # pandas, scikit-learn and torch are imported when a command runs
    from molkd.benchmarks.quality.evaluation import Workspace
    from molkd.benchmarks.records import Results

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
ReportedPart = Annotated[
    Part,
    typer.Option(help="Rows whose scores are reported: choices are made on valid."),
]
PublishedFolder = Annotated[
    Path | None, typer.Option("--published", help="Folder of published figures, to show beside.")
]


def workspace(output: Path, cache: Path | None, jobs: int | None) -> Workspace:
    """Returns where a benchmark works: its folder, the cache of embeddings, the processes."""
    from molkd.benchmarks.embedders.store import cache_dir
    from molkd.benchmarks.quality.evaluation import Workspace

    return Workspace(folder=output, cache=cache_dir(cache), jobs=processes(jobs))


def write_report(
    folder: Path,
    results: Results,
    reference: str | None,
    published: Path | None,
    *,
    part: Part | None = None,
    speed: Mapping[str, Any] | None = None,
    similarity: Mapping[str, Any] | None = None,
    regions: Mapping[str, float] | None = None,
) -> None:
    """Writes the report, prints what can be concluded, and says where it is."""
    from molkd.benchmarks import records, reports, statistics
    from molkd.benchmarks.quality import cost_records
    from molkd.benchmarks.reports import assemble
    from molkd.benchmarks.statistics import published as figures
    from molkd.benchmarks.statistics import sentences
    from molkd.benchmarks.statistics.chosen import shown

    results = records.reported(results, part)
    others = figures.read(published) if published else ()
    costs, _ = cost_records.read(folder)
    page, *_ = reports.write(
        folder,
        results,
        reference=reference,
        published=others,
        speed=speed,
        similarity=similarity,
        costs=costs,
        regions=regions,
    )
    results = shown(results)
    for section in statistics.tables(results):
        compared = assemble.compared(section, assemble.reference_of(results, reference))
        for sentence in sentences.sentences(section, compared):
            typer.echo(sentence)
    notify(f"report: {page}")
