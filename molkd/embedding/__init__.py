"""The embedding job: from a file of items to a file of embeddings, streaming and resumable.

Chunks of rows are read in order, embedded in worker processes (or in this one, on a GPU that those
feed), and stored as parts in OUTPUT.parts until all are finished; then the output is written.
Killed at any moment and run again with the same arguments, the job reuses the finished parts and
writes the same bytes. A part of other items, of another encoder or of other settings is computed
anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molkd.embedding.encoders import (
    Encoder,
    KnowingEncoder,
    TeacherEncoder,
    arithmetic,
    encoding_of,
)
from molkd.embedding.layout import Layout, Shard, settings_path
from molkd.embedding.settings import EmbedSettings, OnInvalid, Summary
from molkd.errors import ConfigError, InputError, OutputError
from molkd.formats.columns import Columns
from molkd.formats.encodings import Encoding
from molkd.formats.readers import kind_of
from molkd.formats.sources import STANDARD_INPUT, Source, listed, resolved
from molkd.formats.writers import format_of, refuse_coded_text
from molkd.items import MODALITIES
from molkd.runtime.files import refuse_folder, refuse_url

__all__ = [
    "EmbedSettings",
    "Encoder",
    "OnInvalid",
    "Shard",
    "Summary",
    "TeacherEncoder",
    "embed_file",
    "settings_path",
]


def embed_file(  # noqa: PLR0913
    encoder: Encoder[Any],
    source: Source,
    output: str | Path,
    options: EmbedSettings | None = None,
    *,
    name: str,
    jobs: int = 1,
    overwrite: bool = False,
    progress: bool = True,
    rows_per_file: int | None = None,
    shard: Shard | None = None,
    engine: str = "local",
) -> Summary:
    """Embeds a file of items, in memory that does not depend on its size.

    Beside the output, OUTPUT.settings.toml holds the settings and a record of the run. An output
    that the same command wrote from the same items before stays as it is.

    With `rows_per_file` the output is a folder of Parquet files named by the rows of the source
    that they hold, and `molkd.embedding.merging.merge` says whether all of them are there.

    Args:
        encoder: a student on its device, or a `TeacherEncoder`.
        source: file of items, folder of them, "-" for standard input, a pattern, a URL, or several
            files, whose rows count as those of one; see `molkd.formats.sources.listed`.
        output: file of embeddings.
        options: see `EmbedSettings`.
        name: of the encoder, for the metadata.
        jobs: processes that featurize; the bytes written do not depend on it.
        overwrite: whether to replace an existing output.
        progress: whether to show a progress bar where standard error is a terminal.
        rows_per_file: rows of the source to a file; by default all go to one.
        shard: which of these files are written, where several jobs share a source; by default all.
        engine: what does the work, a name in `molkd.embedding.engines.ENGINES`; the bytes written
            do not depend on it.

    Raises:
        ConfigError: a setting is out of range, or a format or column choice makes no sense.
        UnknownNameError: there is no such format.
        InputError: the source cannot be read to its end, or has too many invalid items.
        MissingExtraError: the package for a kind of URL is not installed.
        ItemError: an item is invalid and `on_invalid` is "error".
        OutputError: the output exists, is a folder, or cannot be written; finished parts are kept.
        ShapeError: the encoder returns another width than it promises.
        WorkerDiedError: a process was killed; finished parts are kept.
    """
    from molkd.embedding.engines import ENGINES  # it loads pyarrow
    from molkd.embedding.job import Job
    from molkd.embedding.merging import merge

    options = options or EmbedSettings()
    layout = Layout(Path(output), rows_per_file, shard or Shard())
    if jobs < 1:
        raise ConfigError(f"jobs must be at least 1, not {jobs}")
    names = listed(source)
    _refuse_misfits(encoder, names, layout, options)
    job = Job(encoder, names, layout, options, name, ENGINES[engine], overwrite)
    summary = job.run(jobs, progress=progress)
    if not layout.single and layout.shard.of == 1:
        merge(layout.output, jobs=jobs)
    if summary.invalid > options.max_invalid_frac * summary.total:
        raise InputError(
            f"{summary.invalid} of {summary.total} {summary.noun} are invalid, more than the "
            f"share of {options.max_invalid_frac:g} allowed (--max-invalid-fraction); "
            f"{output} is written and holds what could be embedded"
        )
    return summary


def _refuse_misfits(
    encoder: Encoder[Any], names: Sequence[str], layout: Layout, options: EmbedSettings
) -> None:
    """Refuses what cannot be meant, before anything is read."""
    if str(layout.output) == STANDARD_INPUT:
        raise ConfigError("an output is a file, no pipe: name one, such as out.parquet")
    arithmetic(encoder, options.precision)
    encoding = encoding_of(encoder, options)
    modality = MODALITIES[encoder.modality]
    kind = kind_of(names, options.input_format, modality.style)
    if options.standardize not in modality.standardizations:
        raise ConfigError(
            f"standardize is one of {', '.join(modality.standardizations)} for {modality.name}, "
            f"not {options.standardize!r}"
        )
    if options.with_domain and not isinstance(encoder, KnowingEncoder):
        raise ConfigError("with_domain asks a student of molecules; this encoder knows no corpus")
    _refuse_own_input(names, layout)
    if layout.single:
        _refuse_file(layout, options, encoding)
    else:
        _refuse_files(layout, options, kind)


def _refuse_file(layout: Layout, options: EmbedSettings, encoding: Encoding) -> None:
    refuse_coded_text(format_of(layout.output, options.format), encoding)
    refuse_folder(layout.output, "embeddings.parquet")
    if layout.shard.of > 1:
        raise ConfigError("a shard needs files of its own: give rows_per_file, and a folder")


def _refuse_files(layout: Layout, options: EmbedSettings, kind: str) -> None:
    refuse_url(layout.output)
    if options.format not in {None, "parquet"}:
        raise ConfigError(f"files named by their rows are Parquet, not {options.format}")
    if layout.output.exists() and not layout.output.is_dir():
        raise OutputError(f"{layout.output} is a file: with rows_per_file the output is a folder")
    if kind == "sdf" and Columns(keep=options.keep).keeps_all:
        raise ConfigError(
            "molecules of an SD file have any properties, and files named by their rows have the "
            "same columns: name the properties to keep one by one"
        )
    layout.refuse_others()


def _refuse_own_input(names: Sequence[str], layout: Layout) -> None:
    """Refuses to read what is written, as a pattern would that matches the output too."""
    from molkd.formats.writers.npy import ids_path  # it loads pyarrow

    output = layout.output.resolve()
    written = {output, ids_path(output)}
    for path in filter(None, map(resolved, names)):
        if path in written or (not layout.single and layout.owns(path)):
            which = "the input" if len(names) == 1 else "one of the input files"
            what = layout.output if path == output else f"{path}, which belongs to the output,"
            raise ConfigError(f"{what} is {which}: give the output another name or folder")
