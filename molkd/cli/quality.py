"""`molkd bench quality`: embedders, probed on labelled tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import Column, Jobs, WeightsDir, several, whole_numbers
from molkd.cli.output import notify
from molkd.cli.results import (
    Cache,
    Data,
    Download,
    Folder,
    PublishedFolder,
    Reference,
    ReportedPart,
    workspace,
    write_report,
)
from molkd.errors import ConfigError


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
    table: Annotated[
        str | None,
        typer.Option(help="Your own labels: a file that molkd embed reads, or mteb:FOLDER."),
    ] = None,
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
        typer.Option(
            help="linear, knn, mlp, boosting, forest, kernel, tanimoto, pls, mean. Default: linear."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="PROBE=EMBEDDER: a slow probe asks only those so named, as forest=a,b."),
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
    part: ReportedPart = "test",
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
        only=_only(only),
        part=part,
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
    if present and download:
        raise ConfigError("--present takes what is there, --download what is not: choose one")
    names, absent = several(tasks) or ([] if table else ["tdc-admet"]), list[str]()
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
    space = workspace(output, cache, jobs)
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
    write_report(output, results, reference, published)


def _only(texts: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Reads PROBE=EMBEDDER; what follows by a comma, without a probe, is of the same one."""
    chosen: dict[str, tuple[str, ...]] = {}
    probe = ""
    for text in several(texts):
        before, equals, after = text.partition("=")
        probe, label = (before, after) if equals else (probe, text)
        if not probe:
            raise ConfigError(f"--only: expected PROBE=EMBEDDER, got {text!r}")
        chosen[probe] = (*chosen.get(probe, ()), label)
    return chosen
