"""The format of an output file: by name, or by its suffix."""

from __future__ import annotations

from pathlib import Path

from molkd.errors import ConfigError
from molkd.formats import WRITERS
from molkd.formats.encodings import Encoding
from molkd.runtime.registry import near

DEFAULT = "parquet"


def format_of(output: Path, name: str | None = None) -> str:
    """Returns the format of an output file: as named, else by its suffix, else Parquet.

    Raises:
        UnknownNameError: no such format.
        ConfigError: the suffix belongs to none.
    """
    if name:
        WRITERS.resolve(name)
        return name
    suffix = output.suffix.lower().lstrip(".") or DEFAULT
    if suffix not in WRITERS:
        raise ConfigError(
            f"the suffix of {output} names no format.{near(suffix, WRITERS)} "
            f"Formats are {', '.join(WRITERS)}: give one as the suffix, or with --format"
        )
    return suffix


def refuse_coded_text(kind: str, encoding: Encoding) -> None:
    """Refuses to write as text what is stored in few bits.

    Raises:
        ConfigError: the format is one of text, and the encoding one of int8 and binary.
    """
    if kind == "csv" and encoding.facts:
        raise ConfigError(
            f"csv writes numbers as text, and {encoding.dtype} is about bytes: write .parquet, "
            ".npz or .npy"
        )
