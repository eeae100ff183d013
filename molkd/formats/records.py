"""What a file of molecules is read into, and how its columns are chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from molkd.errors import ConfigError, InputError
from molkd.registry import near

Row = tuple[str | None, str | None, str | None]
"""Identifier or None for its row number, SMILES or None, why the row cannot be read or None."""

SMILES_NAMES = {"smiles", "canonical_smiles", "drug"}
"""Columns, in lower case, that hold SMILES unless another one is named."""

MISSING = {"nan", "NaN", "NAN", "None", "none", "null", "NULL", "NA", "N/A", "<NA>", "NaT"}
"""Texts by which programs write that there is no value; none of them is a SMILES."""


@dataclass(frozen=True, slots=True)
class Records:
    """Consecutive rows of a file.

    Attributes:
        row0: row of the first, counted from 0 and without the header.
        ids: one per row; the row number where the file has none.
        smiles: one per row; None where it is missing or cannot be read.
        failures: position in this chunk -> why the row cannot be read.
    """

    row0: int
    ids: list[str]
    smiles: list[str | None]
    failures: Mapping[int, str] = field(default_factory=dict[int, str])

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, row0: int, rows: Sequence[Row]) -> Records:
        """Collects rows."""
        ids = [str(row0 + place) if row[0] is None else row[0] for place, row in enumerate(rows)]
        failures = {place: row[2] for place, row in enumerate(rows) if row[2] is not None}
        return cls(row0, ids, [row[1] for row in rows], failures)

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of all that the rows say."""
        said = [self.row0, self.ids, self.smiles, sorted(self.failures.items())]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Columns:
    """Where SMILES and identifiers are.

    Attributes:
        smiles: column, or None to take the one with a usual name.
        id: column (in an SD file: property), or None for the format's own name of a molecule.
    """

    smiles: str | None = None
    id: str | None = None

    def find(self, names: Sequence[str], file: str) -> tuple[int, int | None]:
        """Returns the positions of the SMILES column and of the identifier column, if any.

        Raises:
            InputError: a column is missing or there are several; lists those there are.
        """
        smiles = _position(self.smiles, names, file) if self.smiles else _usual(names, file)
        return smiles, _position(self.id, names, file) if self.id else None

    def refuse(self, file: str, *, id_too: bool = False) -> None:
        """Refuses a choice of columns for a format that has none.

        Raises:
            ConfigError: a column was chosen.
        """
        if self.smiles or (id_too and self.id):
            option = "--smiles-column" if self.smiles else "--id-column"
            raise ConfigError(f"{file} has no columns to choose from: leave out {option}")


def text_or_missing(text: str) -> str | None:
    """Returns a SMILES as it is, and None for a text that stands for a missing value."""
    return None if text in MISSING else text


def _position(column: str, names: Sequence[str], file: str) -> int:
    if names.count(column) == 1:
        return names.index(column)
    what = f"{names.count(column)} columns" if column in names else "no column"
    raise InputError(f"{file} has {what} {column!r}.{near(column, names)} {_listed(names)}")


def _usual(names: Sequence[str], file: str) -> int:
    found = [place for place, name in enumerate(names) if name.lower() in SMILES_NAMES]
    if len(found) == 1:
        return found[0]
    what = "several columns" if found else "no column"
    raise InputError(
        f"{file} has {what} with a usual name for SMILES: choose one with --smiles-column, or read "
        f"SMILES without a header with --input-format smi. {_listed(names)}"
    )


def _listed(names: Sequence[str], shown: int = 30) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"Columns: {', '.join(map(repr, names[:shown]))}{more}."
