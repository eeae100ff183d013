"""`molkd embed` and `molkd teachers embed`: a file of items in, a file of embeddings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from molkd.runtime.processes import usable_cores

if TYPE_CHECKING:  # pyarrow and the rest are imported when a command runs
    from molkd.embedding import Encoder, Summary

Input = Annotated[
    str,
    typer.Option(
        "--input",
        "-i",
        help="Molecules: .smi, .csv, .tsv, .parquet or .sdf, plain, gzip or zstd; - for a pipe. "
        "Texts: .txt, .csv, .tsv, .jsonl or .parquet. Images: a folder, or .parquet.",
    ),
]
Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        "--smiles-column",
        help="Column of SMILES, texts or images. Default: the one with a usual name.",
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="Embeddings: .parquet, .npz, .npy or .csv.")
]
SmilesColumn = Annotated[
    str | None,
    typer.Option(
        "--column",
        "--smiles-column",
        help="Column of the SMILES. Default: the one with a usual name.",
    ),
]
IdColumn = Annotated[
    str | None, typer.Option(help="Column, or SD property, of names. Default: row numbers, titles.")
]
InputFormat = Annotated[
    str | None,
    typer.Option(help="smi, csv, tsv, parquet, sdf, txt, jsonl. Default: what the suffix says."),
]
Format = Annotated[
    Literal["parquet", "npz", "npy", "csv"] | None,
    typer.Option(help="Of the output. Default: what the suffix says."),
]
Dtype = Annotated[
    Literal["float16", "float32"] | None, typer.Option(help="Of the values. Default: float32.")
]
OnInvalid = Annotated[
    Literal["null", "drop", "error"] | None,
    typer.Option(help="Keep invalid items as empty rows (default), leave them out, or stop."),
]
MaxInvalidFrac = Annotated[
    float | None, typer.Option(help="Share of invalid items above which to exit with 3.")
]
Standardize = Annotated[
    Literal["none", "light", "full"] | None,
    typer.Option(help="What is done to molecules first. Default: none."),
]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", "-b", help="Items per pass of the network.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Processes. Default: one per usable core.")
]
Config = Annotated[
    Path | None, typer.Option(help="TOML file of settings; options given here override it.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing output.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]


def embed(  # noqa: PLR0913
    *,
    source: Input,
    output: Output,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Folder of a student, or its hub name.")
    ],
    column: Column = None,
    id_column: IdColumn = None,
    input_format: InputFormat = None,
    format: Format = None,  # noqa: A002
    dtype: Dtype = None,
    on_invalid: OnInvalid = None,
    max_invalid_frac: MaxInvalidFrac = None,
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
    given = {
        "column": column,
        "id_column": id_column,
        "input_format": input_format,
        "format": format,
        "dtype": dtype,
        "on_invalid": on_invalid,
        "max_invalid_frac": max_invalid_frac,
        "standardize": standardize,
        "batch_size": batch_size,
    }

    def load() -> Any:
        from molkd import students
        from molkd.runtime import devices

        return students.load(model).to(devices.choose(device))

    _run(load, model, source, output, given, config, jobs, overwrite)


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
    weights_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of pretrained weights.", envvar="MOLKD_WEIGHTS_DIR"),
    ] = None,
    device: Device = "cpu",
    jobs: Jobs = None,
    config: Config = None,
    overwrite: Overwrite = False,
) -> None:
    """Embed a file of molecules, texts or images with a teacher.

    Run again after an interruption, the same command goes on where it stopped.
    """
    given = {
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

    if jobs is None and device != "cpu":
        jobs = 1  # one process has the device
    _run(load, name, source, output, given, config, jobs, overwrite)


def _run(
    load: Callable[[], Encoder[Any]],
    name: str,
    source: str,
    output: Path,
    given: Mapping[str, object],
    config: Path | None,
    jobs: int | None,
    overwrite: bool,
) -> None:
    """Reads the settings before the model: a mistyped one shall not cost a wait."""
    from molkd.embedding import EmbedSettings, embed_file
    from molkd.runtime import settings

    options = settings.load(EmbedSettings, config, given)
    summary = embed_file(
        load(),
        source,
        output,
        options,
        name=name,
        jobs=usable_cores() if jobs is None else jobs,
        overwrite=overwrite,
    )
    typer.echo(describe(summary), err=True)


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
