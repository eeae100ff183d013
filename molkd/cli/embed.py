"""`molkd embed` and `molkd teachers embed`: a file of items in, a file of embeddings out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from molkd.cli.flags import Flag, takes_settings
from molkd.cli.options import (
    Device,
    EngineOption,
    Files,
    Input,
    Jobs,
    Model,
    OrFile,
    Output,
    Overwrite,
    RowsPerFile,
    ShardOption,
    WeightsDir,
    processes,
    source_of,
)
from molkd.cli.output import notify
from molkd.cli.truncate import warn_of_untrained
from molkd.embedding import EmbedSettings, Encoder, Shard, Summary, embed_file
from molkd.embedding.layout import ROWS_PER_FILE
from molkd.formats.sources import Source
from molkd.runtime import launch
from molkd.students import shipped

_SHOWN = 6
"""How many things are listed that a student never met."""

FLAGS = (
    Flag("column"),
    Flag("id_column"),
    Flag("keep"),
    Flag("on_invalid"),
    Flag("max_invalid_frac", ("--max-invalid-fraction",)),
    Flag("standardize"),
    Flag("with_domain"),
    Flag("dtype"),
    Flag("format"),
    Flag("input_format"),
    Flag("batch_size", ("--batch-size", "-b")),
)
STUDENT_FLAGS = (*FLAGS, Flag("dimensions"), Flag("precision"))


@takes_settings(EmbedSettings, STUDENT_FLAGS)
def embed(  # noqa: PLR0913
    *,
    settings: EmbedSettings,
    output: Output,
    files: Files = None,
    source: OrFile = None,
    model: Model = shipped.DEFAULT,
    device: Device = "auto",
    jobs: Jobs = None,
    overwrite: Overwrite = False,
    rows_per_file: RowsPerFile = None,
    shard: ShardOption = None,
    engine: EngineOption = "local",
) -> None:
    """Embed molecules, texts or images with a trained student.

    Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd import students
    from molkd.runtime import devices

    student: Any = students.load(model).to(devices.choose(device))
    if settings.dimensions is not None and student.folder is not None:
        warn_of_untrained(student.folder, settings.dimensions)
    label = shipped.label_of(model)
    _run(
        student,
        label,
        source_of(files, source),
        output,
        settings,
        jobs=processes(jobs),
        overwrite=overwrite,
        rows_per_file=rows_per_file,
        shard=shard,
        engine=engine,
    )


@takes_settings(EmbedSettings, FLAGS)
def embed_with_teacher(  # noqa: PLR0913
    *,
    settings: EmbedSettings,
    name: Annotated[str, typer.Argument(help="Name of a teacher, or prefix:name.")],
    source: Input,
    output: Output,
    weights_dir: WeightsDir = None,
    device: Device = "cpu",
    jobs: Jobs = None,
    overwrite: Overwrite = False,
    rows_per_file: RowsPerFile = None,
    shard: ShardOption = None,
    engine: EngineOption = "local",
) -> None:
    """Embed molecules, texts or images with a teacher.

    Run again after an interruption, the same command goes on where it stopped.
    """
    from molkd import teachers
    from molkd.embedding import TeacherEncoder

    at_once = processes(jobs, device)
    teacher = teachers.make(name, weights_dir=weights_dir, device=device)
    label, encoder = teacher.card.name, TeacherEncoder(teacher)
    _run(
        encoder,
        label,
        source,
        output,
        settings,
        jobs=at_once,
        overwrite=overwrite,
        rows_per_file=rows_per_file,
        shard=shard,
        engine=engine,
    )


def _run(  # noqa: PLR0913
    encoder: Encoder[Any],
    name: str,
    source: Source,
    output: Path,
    settings: EmbedSettings,
    *,
    jobs: int,
    overwrite: bool,
    rows_per_file: int | None,
    shard: str | None,
    engine: str,
) -> None:
    part = _own_shard() if shard is None else Shard.of_text(shard)
    if part and rows_per_file is None:
        rows_per_file = ROWS_PER_FILE
    summary = embed_file(
        encoder,
        source,
        output,
        settings,
        name=name,
        jobs=jobs,
        overwrite=overwrite,
        rows_per_file=rows_per_file,
        shard=part,
        engine=engine,
    )
    notify(describe(summary))
    if part and not summary.total:
        notify(
            f"no rows fall to shard {part}: there are more shards than files; "
            "give fewer --rows-per-file"
        )


def _own_shard() -> Shard | None:
    """The shard of this process among several that one command has started; see `launch`."""
    count = launch.world_size()
    return Shard(launch.rank() + 1, count) if count > 1 else None


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
    if summary.clipped:
        lines.append(f"{summary.clipped} values were larger than int8 reaches to, and clipped")
    if summary.outside:
        lines.append(_outside(summary))
    if summary.invalid:
        what = "left out" if summary.dropped else "kept as empty rows"
        lines.append(f"{summary.invalid} invalid, {what}:")
        lines += [f"  row {row}: {reason}" for row, reason in summary.reasons.items()]
        if summary.invalid > len(summary.reasons):
            lines.append(f"  ... and {summary.invalid - len(summary.reasons)} more")
    return "\n".join(lines)


def _outside(summary: Summary) -> str:
    """Says how many lie outside what the student was distilled from, and by what."""
    listed = [f"{what} ({count})" for what, count in summary.beyond.items()]
    more = [f"and {len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
    verb = "lies" if summary.outside == 1 else "lie"
    return (
        f"{summary.outside} of them {verb} outside what the student was distilled from: "
        f"{', '.join([*listed[:_SHOWN], *more])}"
    )
