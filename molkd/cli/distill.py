"""`molkd distill`: a file of items and the names of teachers in, a trained student out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from molkd.cli.options import (
    BatchSize,
    Column,
    Config,
    Device,
    Input,
    InputFormat,
    Jobs,
    Standardize,
)
from molkd.cli.output import print_table
from molkd.errors import ConfigError
from molkd.runtime.processes import usable_cores

if TYPE_CHECKING:  # torch is imported when the command runs
    from molkd.distillation.run import DistillSettings


def distill(  # noqa: PLR0913
    *,
    source: Input,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the student; its name for --model.")
    ],
    teachers: Annotated[
        str | None, typer.Option("--teachers", "-t", help="Names, separated by commas.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="mi (default), unic, diverse, mse, cosine, or your own as module:Class."),
    ] = None,
    student: Annotated[
        str | None,
        typer.Option(help="Size: tiny, small (default), base; of texts and images: see README."),
    ] = None,
    embedding_dim: Annotated[int | None, typer.Option(help="Width of the embedding.")] = None,
    readout: Annotated[
        str | None, typer.Option(help="mean+sum (default), mean, sum or attention.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the items.")] = None,
    batch_size: BatchSize = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, order and split.")] = None,
    split: Annotated[
        Literal["random", "scaffold"] | None, typer.Option(help="How to choose validation rows.")
    ] = None,
    valid_fraction: Annotated[float | None, typer.Option(help="Share of validation rows.")] = None,
    density: Annotated[
        str | None, typer.Option(help="Conditional densities: ecfp4=gaussian,rdkit2d=mixture:8,...")
    ] = None,
    pca: Annotated[
        str | None, typer.Option(help="Principal components of a teacher: ecfp4=256,...")
    ] = None,
    prefixes: Annotated[
        str | None,
        typer.Option(help="Lengths at which embeddings can be cut: 64,128."),
    ] = None,
    keep_adaptors: Annotated[
        bool | None,
        typer.Option("--keep-adaptors", help="Keep what predicts teachers from the embedding."),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any other setting, as in settings.toml: objective.drop=0.3; again for more.",
        ),
    ] = None,
    standardize: Standardize = None,
    column: Column = None,
    input_format: InputFormat = None,
    bank: Annotated[
        Path | None,
        typer.Option(help="Folder of teacher embeddings, to share them between runs."),
    ] = None,
    bank_dtype: Annotated[
        Literal["auto", "fp16", "fp32"] | None, typer.Option(help="In which they are stored.")
    ] = None,
    weights_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of pretrained weights.", envvar="MOLKD_WEIGHTS_DIR"),
    ] = None,
    device: Device = "auto",
    jobs: Jobs = None,
    config: Config = None,
) -> None:
    """Distil teachers into a student, without labels.

    Run again after an interruption, the same command goes on where it stopped. More settings than
    are options here can be given in a TOML file; see settings.toml beside any result.
    """
    from molkd.distillation.run import DistillSettings
    from molkd.formats.readers import read_items
    from molkd.formats.rows import Columns
    from molkd.runtime import settings

    given: dict[str, object] = {
        "teachers": teachers.split(",") if teachers else None,
        "objective.name": objective,
        "objective.densities": _pairs("density", density),
        "objective.prefixes": _lengths(prefixes),
        "student.size": student,
        "student.embedding_dim": embedding_dim,
        "student.readout": readout,
        "train.epochs": epochs,
        "train.batch_size": batch_size,
        "train.lr": lr,
        "train.seed": seed,
        "split": split,
        "valid_fraction": valid_fraction,
        "pca": _numbers(_pairs("pca", pca)),
        "standardize": standardize,
        "bank_dtype": bank_dtype,
        "keep_adaptors": keep_adaptors,
        **_assigned(more or []),
    }
    options = settings.load(DistillSettings, config, given)
    if not options.teachers:
        raise ConfigError("name at least one teacher with --teachers; 'molkd teachers list'")
    items, unread = read_items(
        source, Columns(column, style=options.modality.style), kind=input_format
    )
    _run(options, items, unread, output, bank, weights_dir, device, jobs)


def _run(
    options: DistillSettings,
    items: list[Any],
    unread: Mapping[int, str],
    output: Path,
    bank: Path | None,
    weights_dir: Path | None,
    device: str,
    jobs: int | None,
) -> None:
    from molkd import teachers as registry
    from molkd.distillation import report, run
    from molkd.runtime import devices, settings

    names = registry.parse_names(",".join(options.teachers))
    chosen = devices.choose(device)
    on_gpu = str(chosen) if chosen.type == "cuda" else "cpu"
    made = [registry.make(name, weights_dir=weights_dir, device=on_gpu) for name in names]
    settings.write(output / "settings.toml", options)
    result = run.distill(
        items,
        made,
        output,
        options,
        bank=bank,
        device=str(chosen),
        jobs=usable_cores() if jobs is None else jobs,
    )
    failures = {**result.failures, **unread}
    typer.echo(
        f"{len(items) - len(failures)} of {len(items)} {options.modality.name} used", err=True
    )
    for row, reason in sorted(failures.items())[:5]:
        typer.echo(f"  row {row}: {reason}", err=True)
    if result.shortened:
        typer.echo(
            f"{result.shortened} were longer than the student reads and lost their end", err=True
        )
    header, *lines = report.table(result.information)
    print_table(header, lines)


def _pairs(option: str, text: str | None) -> dict[str, str] | None:
    """Reads "a=x,b=y"."""
    if text is None:
        return None
    pairs = [part.rpartition("=") for part in text.split(",")]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise ConfigError(f"--{option}: expected teacher=value,..., got {text!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _assigned(texts: Sequence[str]) -> dict[str, object]:
    """Reads "table.key=value", the value as TOML or else as a text."""
    assigned: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key.strip() and equals and value.strip()):
            raise ConfigError(f"--set: expected key=value, got {text!r}")
        try:
            assigned[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            assigned[key.strip()] = value.strip()
    return assigned


def _lengths(text: str | None) -> list[int] | None:
    if text is None:
        return None
    if not all(part.strip().isdigit() for part in text.split(",")):
        raise ConfigError(f"--prefixes: expected lengths as 64,128, got {text!r}")
    return [int(part) for part in text.split(",")]


def _numbers(pairs: dict[str, str] | None) -> dict[str, int] | None:
    if pairs is None:
        return None
    for name, value in pairs.items():
        if not value.isdigit():
            raise ConfigError(f"--pca: {name}: expected a number of components, got {value!r}")
    return {name: int(value) for name, value in pairs.items()}
