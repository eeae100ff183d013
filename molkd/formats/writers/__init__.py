"""The format of an output file: by name, or by its suffix."""

from __future__ import annotations

from pathlib import Path

from molkd.errors import ConfigError
from molkd.formats import WRITERS
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
            f"Formats are {', '.join(WRITERS)}: name one with --format"
        )
    return suffix
