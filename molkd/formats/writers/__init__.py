"""Output formats by name and by suffix.

A new format is a function in a file of its own and a line in `WRITERS`.
"""

from __future__ import annotations

from pathlib import Path

from molkd.errors import ConfigError
from molkd.formats.writers.table import Writer
from molkd.runtime.registry import Registry, near

_HERE = "molkd.formats.writers"
WRITERS: Registry[Writer] = Registry(
    "format",
    {
        "parquet": f"{_HERE}.parquet:write_parquet",
        "npz": f"{_HERE}.npz:write_npz",
        "npy": f"{_HERE}.npy:write_npy",
        "csv": f"{_HERE}.csv:write_csv",
    },
)

DEFAULT = "parquet"


def format_of(output: Path, name: str | None = None) -> str:
    """Returns the format of an output file: as named, else by its suffix, else Parquet.

    Raises:
        UnknownNameError: there is no such format.
        ConfigError: the suffix belongs to none.
    """
    suffix = output.suffix.lower().lstrip(".") or DEFAULT
    if name is None and suffix not in WRITERS:
        raise ConfigError(
            f"the suffix of {output} names no format.{near(suffix, WRITERS)} Formats are "
            f"{', '.join(WRITERS)}: name one with --format"
        )
    WRITERS.resolve(name or suffix)  # refuses a name that no writer has
    return name or suffix
