"""The embedding job: from a file of items to a file of embeddings, streaming and resumable.

Chunks of rows are read in order, featurized in worker processes without torch, embedded in this
process, and stored as parts in OUTPUT.parts until all are finished; then the output is written.
Killed at any moment and run again with the same arguments, the job reuses the finished parts and
writes the same bytes. A part of other items, of another encoder or of other settings is computed
anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from molkd.embedding.encoders import Encoder, KnowingEncoder, TeacherEncoder, arithmetic
from molkd.embedding.settings import EmbedSettings, OnInvalid, Summary, settings_path
from molkd.errors import ConfigError, InputError
from molkd.formats.readers import kind_of
from molkd.formats.sources import Source, listed, resolved
from molkd.formats.writers import format_of
from molkd.items import MODALITIES
from molkd.runtime.files import refuse_folder

__all__ = [
    "EmbedSettings",
    "Encoder",
    "OnInvalid",
    "Summary",
    "TeacherEncoder",
    "embed_file",
    "settings_path",
]


def embed_file(
    encoder: Encoder[Any],
    source: Source,
    output: str | Path,
    options: EmbedSettings | None = None,
    *,
    name: str,
    jobs: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Embeds a file of items, in memory that does not depend on its size.

    Beside the output, OUTPUT.settings.toml holds the settings and a record of the run. An output
    that the same command wrote from the same items before stays as it is.

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
    from molkd.embedding.job import Job  # it loads pyarrow

    options = options or EmbedSettings()
    output = Path(output)
    if jobs < 1:
        raise ConfigError(f"jobs must be at least 1, not {jobs}")
    arithmetic(encoder, options.precision)
    format_of(output, options.format)
    modality = MODALITIES[encoder.modality]
    refuse_folder(output, "embeddings.parquet")
    files = listed(source)
    kind_of(files, options.input_format, modality.style)
    if options.standardize not in modality.standardizations:
        raise ConfigError(
            f"standardize is one of {', '.join(modality.standardizations)} for {modality.name}, "
            f"not {options.standardize!r}"
        )
    if options.with_domain and not isinstance(encoder, KnowingEncoder):
        raise ConfigError("with_domain asks a student of molecules; this encoder knows no corpus")
    if output.resolve() in map(resolved, files):
        which = "the input" if len(files) == 1 else "one of the input files"
        raise ConfigError(f"{output} is {which}: give the output another name or folder")
    job = Job(encoder, files, output, options, name)
    present = output.exists() and not overwrite
    summary = job.already_done() if present else job.run(jobs, progress=progress)
    if summary.invalid > options.max_invalid_frac * summary.total:
        raise InputError(
            f"{summary.invalid} of {summary.total} {modality.name} are invalid, more than the "
            f"share of {options.max_invalid_frac:g} allowed (max_invalid_frac); "
            f"{output} is written and holds what could be embedded"
        )
    return summary
