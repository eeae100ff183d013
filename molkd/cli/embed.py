"""`molkd embed` and `molkd teachers embed`: a file of items in, a file of embeddings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molkd.cli.options import (
    BatchSize,
    Column,
    Config,
    Device,
    Dtype,
    Format,
    IdColumn,
    Input,
    InputFormat,
    Jobs,
    Model,
    OnInvalid,
    Output,
    Overwrite,
    Standardize,
    WeightsDir,
    processes,
)
from molkd.cli.output import notify

if TYPE_CHECKING:  # pyarrow and the rest are imported when a command runs
    from molkd.embedding import Encoder, Summary


def embed(  # noqa: PLR0913
    *,
    source: Input,
    output: Output,
    model: Model,
    column: Column = None,
    id_column: IdColumn = None,
    input_format: InputFormat = None,
    format: Format = None,  # noqa: A002
    dtype: Dtype = None,
    on_invalid: OnInvalid = None,
    max_invalid_fraction: Annotated[
        float | None, typer.Option(help="Share of invalid items above which to exit with 3.")
    ] = None,
    standardize: Standardize = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    jobs: Jobs = None,
    config: Config = None,
    overwrite: Overwrite = False,
) -> None:
    """Embed a file of molecules, texts or images with a trained student.

    Run again after an interruption, the same command goes on where it stopped.
    """
    options = {
        "column": column,
        "id_column": id_column,
        "input_format": input_format,
        "format": format,
        "dtype": dtype,
        "on_invalid": on_invalid,
        "max_invalid_frac": max_invalid_fraction,
        "standardize": standardize,
        "batch_size": batch_size,
    }

    def load() -> Any:
        from molkd import students
        from molkd.runtime import devices

        return students.load(model).to(devices.choose(device))

    _run(load, model, source, output, options, config, processes(jobs), overwrite)


def embed_with_teacher(  # noqa: PLR0913
    *,
    name: Annotated[str, typer.Argument(help="Name of a teacher, or prefix:name.")],
    source: Input,
    output: Output,
    column: Column = None,
    id_column: IdColumn = None,
    input_format: InputFormat = None,
    format: Format = None,  # noqa: A002
    dtype: Dtype = None,
    on_invalid: OnInvalid = None,
    standardize: Standardize = None,
    weights_dir: WeightsDir = None,
    device: Device = "cpu",
    jobs: Jobs = None,
    config: Config = None,
    overwrite: Overwrite = False,
) -> None:
    """Embed a file of molecules, texts or images with a teacher.

    Run again after an interruption, the same command goes on where it stopped.
    """
    options = {
        "column": column,
        "id_column": id_column,
        "input_format": input_format,
        "format": format,
        "dtype": dtype,
        "on_invalid": on_invalid,
        "standardize": standardize,
    }

    def load() -> Any:
        from molkd import teachers
        from molkd.embedding import TeacherEncoder

        return TeacherEncoder(teachers.make(name, weights_dir=weights_dir, device=device))

    _run(load, name, source, output, options, config, processes(jobs, device), overwrite)


def _run(
    load: Callable[[], Encoder[Any]],
    name: str,
    source: str,
    output: Path,
    options: Mapping[str, object],
    config: Path | None,
    jobs: int,
    overwrite: bool,
) -> None:
    """Reads the settings before the model: a mistyped one shall not cost a wait."""
    from molkd.embedding import EmbedSettings, embed_file
    from molkd.runtime import settings

    chosen = settings.load(EmbedSettings, config, options)
    summary = embed_file(load(), source, output, chosen, name=name, jobs=jobs, overwrite=overwrite)
    notify(describe(summary))


def describe(summary: Summary) -> str:
    """Returns what a job did, in words, with the first reasons for invalid items."""
    if summary.already_done:
        return (
            f"{summary.output} is complete already: {summary.total} {summary.noun}; nothing to do"
        )
    fresh = summary.total - summary.resumed
    rate = fresh / max(summary.seconds, 1e-3)
    done = f"{summary.total - summary.invalid} of {summary.total} {summary.noun} embedded"
    lines = [f"{done} in {summary.seconds:.1f} s ({rate:.0f}/s): {summary.output}"]
    if summary.resumed:
        lines.append(f"{summary.resumed} of them by an earlier, interrupted run")
    if summary.shortened:
        lines.append(f"{summary.shortened} were longer than the model reads and lost their end")
    if summary.invalid:
        what = "left out" if summary.dropped else "kept as empty rows"
        lines.append(f"{summary.invalid} invalid, {what}:")
        lines += [f"  row {row}: {reason}" for row, reason in summary.reasons.items()]
        if summary.invalid > len(summary.reasons):
            lines.append(f"  ... and {summary.invalid - len(summary.reasons)} more")
    return "\n".join(lines)
