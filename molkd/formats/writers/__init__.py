"""Output formats by name and by suffix.

A new format is a function in a file of its own and a line in `WRITERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from molkd.errors import ConfigError
from molkd.formats.writers.csv import write_csv
from molkd.formats.writers.npy import write_npy
from molkd.formats.writers.npz import write_npz
from molkd.formats.writers.parquet import write_parquet
from molkd.formats.writers.table import Writer
from molkd.runtime.registry import near

WRITERS: Mapping[str, Writer] = {
    "parquet": write_parquet,
    "npz": write_npz,
    "npy": write_npy,
    "csv": write_csv,
}

DEFAULT = "parquet"


def format_of(output: Path, name: str | None = None) -> str:
    """Returns the format of an output file: as named, else by its suffix, else Parquet.

    Raises:
        ConfigError: no such format, or the suffix belongs to none.
    """
    found = name or output.suffix.lower().lstrip(".") or DEFAULT
    if found not in WRITERS:
        what = f"unknown format {name!r}" if name else f"the suffix of {output} names no format"
        raise ConfigError(
            f"{what}.{near(found, WRITERS)} Formats are {', '.join(WRITERS)}: name one "
            "with --format"
        )
    return found
