"""`molkd teachers compare`: which teachers say the same, before anyone pays for a distillation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molkd.cli.options import (
    AsJson,
    Column,
    Device,
    InputFormat,
    Jobs,
    MaybeInput,
    SampleSeed,
    WeightsDir,
    processes,
    several,
)
from molkd.cli.output import notify, print_json, print_table
from molkd.errors import ConfigError

if TYPE_CHECKING:  # numpy, scipy and RDKit are imported when the command runs
    from molkd.bank import Bank
    from molkd.benchmarks.diagnostics import TeacherComparison
    from molkd.benchmarks.diagnostics.samples import Sample
    from molkd.items import Modality
    from molkd.types import Teacher

MATRICES = {
    "cka": "CKA",
    "r2": "R2 of column from row",
    "overlap": "10 nearest neighbours in common",
}
"""Field of a `TeacherComparison` -> what the table calls it."""


def compare(  # noqa: PLR0913
    *,
    names: Annotated[list[str], typer.Argument(help="Names of teachers, by commas or spaces.")],
    source: MaybeInput = None,
    sample: Annotated[int, typer.Option(help="Rows to draw.")] = 2000,
    plot: Annotated[Path | None, typer.Option(help="PNG file for a heat map of CKA.")] = None,
    bank: Annotated[
        Path | None,
        typer.Option(help="Folder to keep their embeddings of the sample, for the next time."),
    ] = None,
    column: Column = None,
    input_format: InputFormat = None,
    seed: SampleSeed = 0,
    weights_dir: WeightsDir = None,
    device: Device = "cpu",
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Compare teachers on a sample of what they read.

    Says which are redundant, and what each costs. CKA and neighbours say how alike two teachers see
    the items, 1 for the same; R2 how well a linear map from one predicts the other on items it was
    not fitted on.
    """
    from molkd import teachers
    from molkd.benchmarks import diagnostics
    from molkd.benchmarks.diagnostics import samples

    if plot is not None and plot.suffix.lower() != ".png":
        raise ConfigError(f"--plot writes a PNG: {plot} does not end in .png")
    chosen = teachers.parse_names(",".join(several(names)))
    if len(chosen) < 2:
        raise ConfigError(f"name at least two teachers to compare, as in {chosen[0]},NAME")
    compared = [teachers.make(name, weights_dir=weights_dir, device=device) for name in chosen]
    modality = _modality(compared)
    drawn = samples.from_source(source, column, input_format, modality, count=sample, seed=seed)
    notify(str(drawn))
    jobs = processes(jobs, device)
    with samples.banked(drawn, compared, folder=bank, jobs=jobs) as embeddings:
        comparison = _compared(embeddings, seed)
    rates = {
        name: samples.per_second(teacher, drawn.items)
        for name, teacher in zip(comparison.facts, compared, strict=True)
    }
    if plot is not None:
        _draw(comparison, modality, plot)
    sentences = diagnostics.sentences(comparison)
    if as_json:
        print_json(_as_json(comparison, rates, sentences, drawn))
        return
    _print(comparison, modality, rates)
    typer.echo("")
    for sentence in sentences:
        typer.echo(sentence)


def _modality(compared: Sequence[Teacher[Any]]) -> Modality:
    """What the teachers read.

    Raises:
        ConfigError: different things.
    """
    from molkd.items import MODALITIES

    readers = {teacher.card.modality: teacher.card.name for teacher in compared}
    if len(readers) > 1:
        names = " and ".join(f"{name} ({modality})" for modality, name in readers.items())
        raise ConfigError(f"{names} read different things, which cannot be compared")
    return MODALITIES[next(iter(readers))]


def _compared(bank: Bank, seed: int) -> TeacherComparison:
    import numpy as np

    from molkd.benchmarks import diagnostics

    every = np.arange(len(bank))
    return diagnostics.compare_teachers(
        {name: bank.raw(name, every) for name in bank.cards},
        keys=bank.items,
        supports={name: card.support for name, card in bank.cards.items()},
        seed=seed,
    )


def _draw(comparison: TeacherComparison, modality: Modality, path: Path) -> None:
    """Writes the heat map with like beside like."""
    from molkd.benchmarks.reports.heatmap import heatmap

    names, order = list(comparison.facts), list(comparison.order)
    title = f"CKA of teachers on {comparison.compared} {modality.name}"
    matrix = comparison.cka[order][:, order]
    heatmap([names[place] for place in order], matrix, title=title, path=path)


def _print(comparison: TeacherComparison, modality: Modality, rates: Mapping[str, float]) -> None:
    header = ("teacher", "dim", "effective rank", "failed", f"{modality.name}/s")
    print_table(
        header,
        [
            (name, f"{f.dim}", f"{f.effective_rank:.0f}", f"{f.failed}", f"{rates[name]:.0f}")
            for name, f in comparison.facts.items()
        ],
    )
    names = [f"{place} {name}" for place, name in enumerate(comparison.facts, start=1)]
    numbers = [str(place) for place in range(1, len(names) + 1)]
    for field, title in MATRICES.items():
        typer.echo("")
        matrix: Sequence[Sequence[float]] = getattr(comparison, field).tolist()
        rows = zip(names, matrix, strict=True)
        print_table(
            (title, *numbers), [(name, *(f"{value:.2f}" for value in row)) for name, row in rows]
        )


def _as_json(
    comparison: TeacherComparison, rates: Mapping[str, float], sentences: list[str], sample: Sample
) -> dict[str, Any]:
    facts = {
        name: {**asdict(about), "per_second": rates[name]}
        for name, about in comparison.facts.items()
    }
    return {
        "teachers": facts,
        **{field: getattr(comparison, field) for field in MATRICES},
        "chance_overlap": comparison.chance,
        "groups": comparison.groups,
        "sentences": sentences,
        "items": {
            "kind": sample.modality.name,
            "drawn": sample.drawn,
            "unreadable": sample.unreadable,
            "repeated": sample.repeated,
            "compared": comparison.compared,
        },
    }
