"""`molkd distill`: a file of items and the names of teachers in, a trained student out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from molkd.cli.flags import Flag, takes_settings
from molkd.cli.options import Column, Device, EngineOption, Input, InputFormat, Jobs, WeightsDir
from molkd.cli.output import notify, print_table
from molkd.distillation.settings import DistillSettings
from molkd.errors import ConfigError
from molkd.runtime.processes import usable_cores

if TYPE_CHECKING:  # torch is imported when the command runs
    from molkd.distillation.run import Distilled

FLAGS = (
    Flag("teachers", ("--teachers", "-t")),
    Flag("student.size", ("--student",)),
    Flag("objective.name", ("--objective",)),
    Flag("train.epochs"),
    Flag("train.seed"),
    Flag("student.embedding_dim"),
    Flag("student.readout"),
    Flag("objective.matryoshka_dims"),
    Flag("objective.densities"),
    Flag("pca"),
    Flag("keep_adaptors"),
    Flag("train.batch_size", ("--batch-size", "-b")),
    Flag("train.lr"),
    Flag("split"),
    Flag("valid_fraction"),
    Flag("standardize"),
    Flag("bank_dtype"),
)


@takes_settings(DistillSettings, FLAGS)
def distill(  # noqa: PLR0913
    *,
    settings: DistillSettings,
    source: Input,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the student; its name for --model.")
    ],
    column: Column = None,
    input_format: InputFormat = None,
    bank: Annotated[
        Path | None,
        typer.Option(help="Folder of teacher embeddings, to share them between runs."),
    ] = None,
    weights_dir: WeightsDir = None,
    device: Device = "auto",
    jobs: Jobs = None,
    engine: EngineOption = "local",
) -> None:
    """Distil teachers into a student, without labels.

    Run again after an interruption, the same command goes on where it stopped. On several GPUs:
    torchrun --nproc-per-node 2 -m molkd distill ...

    molkd distill -i molecules.smi -o runs/student -t ecfp4-count,maccs,rdkit2d
    """
    from molkd import api
    from molkd.formats.columns import Columns
    from molkd.formats.readers import read_items
    from molkd.runtime import launch
    from molkd.runtime.settings import write

    if not settings.teachers:
        raise ConfigError("name at least one teacher with --teachers; 'molkd teachers list'")
    modality, first = settings.modality, launch.rank() == 0
    columns = Columns(column, style=modality.style)
    items, unread = read_items(source, columns, kind=input_format) if first else ([], {})
    panel = api.teachers_of(settings.teachers, weights_dir=weights_dir, device=device)
    if first:
        write(output / "settings.toml", settings)
    result = api.distill(
        items,
        panel,
        output,
        settings.with_names([teacher.card.name for teacher in panel]),
        bank=bank,
        device=device,
        jobs=usable_cores() if jobs is None else jobs,
        engine=engine,
    )
    if first:
        _report(result, unread, len(items), modality.name)


def _report(result: Distilled, unread: Mapping[int, str], items: int, noun: str) -> None:
    """Says what was used, and prints what the student knows about each teacher."""
    from molkd.distillation import report

    failures = {**result.failures, **unread}
    notify(f"{items - len(failures)} of {items} {noun} used")
    for row, reason in sorted(failures.items())[:5]:
        notify(f"  row {row}: {reason}")
    if result.shortened:
        notify(f"{result.shortened} were longer than the student reads and lost their end")
    header, *lines = report.table(result.information)
    print_table(header, lines)
    for sentence in report.sentences(result.information):
        notify(sentence)
