"""The folder of one teacher in a bank: its card, its array and who failed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from molkd.bank.folder import (
    DTYPES,
    FAILURES,
    JOURNAL,
    SEAL,
    Folder,
    Stored,
    StoredType,
    mapped,
    remedy,
)
from molkd.errors import CorruptFileError
from molkd.runtime import files
from molkd.types import Mask, TeacherCard, digest_of

CARD = "card.json"
_VALUES = "values.npy"
_VALID = "valid.npy"


def folder_name(teacher: str) -> str:
    """Returns a name that is safe on every file system and different for different teachers."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", teacher):
        return teacher
    readable = re.sub(r"[^a-z0-9_-]+", "-", teacher.lower()).strip("-")[-40:].strip("-")
    return f"{readable or 'teacher'}-{digest_of(teacher)[:12]}"


@dataclass(frozen=True, slots=True)
class TeacherFolder(Folder):
    """The files of one teacher.

    Attributes:
        card: of the teacher that wrote it.
        dtype: type in which the values are stored.
        count: rows of the bank.
    """

    SEALED: ClassVar[tuple[str, ...]] = (_VALUES, _VALID, FAILURES)

    card: TeacherCard
    dtype: StoredType
    count: int

    @classmethod
    def create(cls, path: Path, card: TeacherCard, dtype: StoredType, count: int) -> TeacherFolder:
        """Creates the files of an empty folder; the card, written last, makes it valid.

        Raises:
            OutputError: it cannot be written.
        """
        with files.explained(path):
            path.mkdir(parents=True, exist_ok=True)
            for stale in (SEAL, _VALID, FAILURES):
                (path / stale).unlink(missing_ok=True)
            np.lib.format.open_memmap(
                path / _VALUES, mode="w+", dtype=DTYPES[dtype], shape=(count, card.dim)
            )
            (path / JOURNAL).write_bytes(b"")
        files.write_json(
            path / CARD, {"card": card.as_json(), "digest": card.digest, "dtype": dtype}
        )
        return cls(path, card, dtype, count)

    @classmethod
    def read(cls, path: Path, count: int) -> TeacherFolder:
        """Reads the card of a folder.

        Raises:
            CorruptFileError: the card is not readable or does not match its digest.
        """
        raw = files.read_json(path / CARD)
        try:
            card = TeacherCard.from_json(raw["card"])
            consistent = raw["digest"] == card.digest and raw["dtype"] in DTYPES
        except (LookupError, TypeError, ValueError) as error:
            raise CorruptFileError(
                f"{path / CARD} is not the card of a teacher: {error}"
            ) from error
        if not consistent:
            raise CorruptFileError(f"{path / CARD} does not match its own digest: {remedy(path)}")
        return cls(path, card, cast("StoredType", raw["dtype"]), count)

    def journal(self) -> tuple[int, dict[int, str]]:
        """Returns the number of rows that are done, and row -> reason for those that failed."""
        if self.sealed:
            return self.count, self.failures()
        done = 0
        failures: dict[int, str] = {}
        with self.explained():
            for entry in self.entries():
                if not done < entry["stop"] <= self.count:
                    raise ValueError(f"rows {done} to {entry['stop']} of {self.count}")
                done = int(entry["stop"])
                failures.update({int(row): str(why) for row, why in entry["failures"].items()})
        return done, failures

    def check(self) -> None:
        """Checks sizes, shapes and types of the files, without reading their content.

        Raises:
            CorruptFileError: names the file that is damaged.
        """
        self.values()
        if self.sealed:
            self.valid()
            self.checksum()

    def append(self, start: int, values: Stored, failures: Mapping[int, str]) -> None:
        """Writes a block; its values are on the disk before its line in the journal is.

        Args:
            start: first row.
            values: shape (m, d), in the type of the folder.
            failures: row of the bank -> reason.

        Raises:
            OutputError: the disk is full; what was written before remains usable.
        """
        offset = self.values().offset + start * self.card.dim * values.itemsize
        self.write(_VALUES, offset, values)
        self.note({"stop": start + len(values), "failures": failures})

    def seal(self) -> None:
        """Closes a finished teacher: mask, reasons and the checksums of all files."""
        _, failures = self.journal()
        valid = np.ones(self.count, dtype=np.bool_)
        valid[list(failures)] = False
        self.save(_VALID, valid)
        self.close(failures)

    def values(self) -> np.memmap[Any, Any]:
        """Returns the map of the array, shape (n, d), read-only.

        Raises:
            CorruptFileError: the file is missing, cut or of another shape or type.
        """
        return mapped(self.path / _VALUES, (self.count, self.card.dim), DTYPES[self.dtype])

    def valid(self) -> Mask:
        """Returns the mask, shape (n,); see `values` for errors."""
        return np.asarray(mapped(self.path / _VALID, (self.count,), np.bool_))
