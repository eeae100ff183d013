"""`molkd teachers compare`: which teachers say the same, before anyone pays for a distillation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molkd.cli.distill import read_items
from molkd.cli.embed import Column, Device, InputFormat, Jobs
from molkd.cli.teachers import AsJson, WeightsDir, print_json, print_table
from molkd.errors import ConfigError
from molkd.runtime.processes import usable_cores

if TYPE_CHECKING:  # numpy, scipy and RDKit are imported when the command runs
    from molkd.bank import Bank
    from molkd.benchmarks.diagnostics import TeacherComparison
    from molkd.benchmarks.diagnostics.samples import Sample
    from molkd.items import Modality
    from molkd.types import Teacher

MaybeInput = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        help="File of molecules, texts or images. Default: 2,000 molecules of ChEMBL, built in.",
    ),
]
Seed = Annotated[int, typer.Option(help="Of the sample and of its split.")]

MATRICES = {
    "cka": "CKA",
    "r2": "R2 of column from row",
    "overlap": "10 nearest neighbours in common",
}
"""Field of a `TeacherComparison` -> what the table calls it."""


def compare(  # noqa: PLR0913
    *,
    names: Annotated[str, typer.Argument(help="Names of teachers, separated by commas.")],
    source: MaybeInput = None,
    sample: Annotated[int, typer.Option(help="Rows to draw.")] = 2000,
    plot: Annotated[Path | None, typer.Option(help="PNG file for a heat map of CKA.")] = None,
    bank: Annotated[
        Path | None,
        typer.Option(help="Folder to keep their embeddings of the sample, for the next time."),
    ] = None,
    column: Column = None,
    input_format: InputFormat = None,
    seed: Seed = 0,
    weights_dir: WeightsDir = None,
    device: Device = "cpu",
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Compare teachers on a sample of what they read: which are redundant, and what each costs.

    CKA and neighbours say how alike two teachers see the items, 1 for the same; R2 how well a
    linear map from one predicts the other on items it was not fitted on.
    """
    from molkd import teachers
    from molkd.benchmarks import diagnostics
    from molkd.benchmarks.diagnostics import samples

    if plot is not None and plot.suffix.lower() != ".png":
        raise ConfigError(f"--plot writes a PNG: {plot} does not end in .png")
    wanted = teachers.parse_names(names)
    if len(wanted) < 2:
        raise ConfigError(f"name at least two teachers to compare, as in {wanted[0]},NAME")
    made = [teachers.make(name, weights_dir=weights_dir, device=device) for name in wanted]
    modality = _kind(made)
    drawn = sample_of(source, column, input_format, modality, count=sample, seed=seed)
    typer.echo(str(drawn), err=True)
    with samples.asked(drawn, made, folder=bank, jobs=jobs_for(jobs, device)) as found:
        comparison = _compared(found, seed)
    rates = {
        name: samples.per_second(teacher, drawn.items)
        for name, teacher in zip(comparison.facts, made, strict=True)
    }
    if plot is not None:
        _draw(comparison, modality, plot)
    said = diagnostics.sentences(comparison)
    if as_json:
        print_json(_as_json(comparison, rates, said, drawn))
        return
    _print(comparison, modality, rates)
    typer.echo("")
    for sentence in said:
        typer.echo(sentence)


def sample_of(
    source: str | None,
    column: str | None,
    input_format: str | None,
    modality: Modality,
    *,
    count: int,
    seed: int,
) -> Sample:
    """Draws from a file, or from the molecules that are built in.

    Raises:
        ConfigError: there is no file, and other items than molecules are wanted.
    """
    from molkd.benchmarks.diagnostics import samples
    from molkd.formats.rows import Columns
    from molkd.items import MOLECULES

    if source is not None:
        rows, _ = read_items(source, Columns(column, style=modality.style), input_format)
        return samples.draw(rows, count=count, seed=seed, modality=modality)
    if modality is not MOLECULES:
        raise ConfigError(f"no {modality.name} are built in: give a file with --input")
    return samples.draw(samples.chembl(), count=count, seed=seed)


def _kind(made: Sequence[Teacher[Any]]) -> Modality:
    """What the teachers read.

    Raises:
        ConfigError: different things.
    """
    from molkd.items import MODALITIES

    modality = {teacher.card.modality: teacher.card.name for teacher in made}
    if len(modality) > 1:
        told = " and ".join(f"{name} ({what})" for what, name in modality.items())
        raise ConfigError(f"{told} read different things, which cannot be compared")
    return MODALITIES[next(iter(modality))]


def jobs_for(jobs: int | None, device: str) -> int:
    """Processes that embed: those that were asked for; by default one has the device."""
    return jobs or (usable_cores() if device == "cpu" else 1)


def plain(value: Any) -> Any:
    """Returns a value with lists for arrays and None for NaN, as JSON knows neither."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, float):
        return value if value == value else None  # noqa: PLR0124 (NaN is not itself)
    if isinstance(value, str | int | None):
        return value
    return [plain(inner) for inner in (value.tolist() if hasattr(value, "tolist") else value)]


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
    comparison: TeacherComparison, rates: Mapping[str, float], said: list[str], sample: Sample
) -> Any:
    facts = {
        name: {**asdict(about), "per_second": rates[name]}
        for name, about in comparison.facts.items()
    }
    return plain(
        {
            "teachers": facts,
            **{field: getattr(comparison, field) for field in MATRICES},
            "chance_overlap": comparison.chance,
            "groups": comparison.groups,
            "sentences": said,
            "items": {
                "kind": sample.modality.name,
                "drawn": sample.drawn,
                "unreadable": sample.unreadable,
                "repeated": sample.repeated,
                "compared": comparison.compared,
            },
        }
    )
