"""The folder of one teacher in a bank: its card, its array, the journal of its building, its seal.

While it is being built, `journal.jsonl` gets one line per finished block; a line that was cut by a
kill does not count. `seal.json` holds the checksums and says that the teacher is complete.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from molkd import store
from molkd.errors import CorruptFileError
from molkd.types import Card, Mask, digest_of

Stored = npt.NDArray[np.float16] | npt.NDArray[np.float32]
"""Shape (m, d): rows as they lie on disk; those of failed items are NaN."""

StoredType = Literal["fp16", "fp32"]
DTYPES: Mapping[StoredType, type[np.float16 | np.float32]] = {
    "fp16": np.float16,
    "fp32": np.float32,
}

CARD = "card.json"
_VALUES = "values.npy"
_VALID = "valid.npy"
_FAILURES = "failures.json"
_JOURNAL = "journal.jsonl"
_SEAL = "seal.json"
_SEALED = (_VALUES, _VALID, _FAILURES)


def folder_name(teacher: str) -> str:
    """Returns a name that is safe on every file system and different for different teachers."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", teacher):
        return teacher
    readable = re.sub(r"[^a-z0-9_-]+", "-", teacher.lower()).strip("-")[-40:].strip("-")
    return f"{readable or 'teacher'}-{digest_of(teacher)[:12]}"


def plain(card: Card) -> dict[str, object]:
    """Returns the fields of a card as JSON holds them, whatever kind of mapping they are."""
    values = {field.name: getattr(card, field.name) for field in fields(card)}
    copied = {
        name: dict(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }
    return cast("dict[str, object]", json.loads(json.dumps(copied)))


@dataclass(frozen=True, slots=True)
class TeacherFolder:
    """The files of one teacher.

    Attributes:
        path: the folder.
        card: of the teacher that wrote it.
        dtype: in which the values are stored.
        count: rows of the bank.
    """

    path: Path
    card: Card
    dtype: StoredType
    count: int

    @classmethod
    def create(cls, path: Path, card: Card, dtype: StoredType, count: int) -> TeacherFolder:
        """Lays out an empty folder; the card comes last and makes it one.

        Raises:
            OutputError: it cannot be written.
        """
        with store.explained(path):
            path.mkdir(parents=True, exist_ok=True)
            for stale in (_SEAL, _VALID, _FAILURES):
                (path / stale).unlink(missing_ok=True)
            np.lib.format.open_memmap(
                path / _VALUES, mode="w+", dtype=DTYPES[dtype], shape=(count, card.dim)
            )
            (path / _JOURNAL).write_bytes(b"")
        store.write_json(path / CARD, {"card": plain(card), "digest": card.digest, "dtype": dtype})
        return cls(path, card, dtype, count)

    @classmethod
    def read(cls, path: Path, count: int) -> TeacherFolder:
        """Reads what the folder says about itself.

        Raises:
            CorruptFileError: the card is not readable or does not match its digest.
        """
        raw = store.read_json(path / CARD)
        try:
            card = Card(**cast("dict[str, Any]", raw["card"]))
            known = raw["digest"] == card.digest and raw["dtype"] in DTYPES
        except (KeyError, TypeError) as error:
            raise CorruptFileError(
                f"{path / CARD} is not the card of a teacher: {error}"
            ) from error
        if not known:
            raise CorruptFileError(f"{path / CARD} does not match its own digest: {_remedy(path)}")
        return cls(path, card, cast("StoredType", raw["dtype"]), count)

    @property
    def sealed(self) -> bool:
        """Whether the teacher is complete."""
        return (self.path / _SEAL).exists()

    def journal(self) -> tuple[int, dict[int, str]]:
        """Returns the number of rows that are done, and row -> reason for those that failed."""
        if self.sealed:
            return self.count, self.failures()
        done = 0
        failures: dict[int, str] = {}
        try:
            for line in self._lines():
                entry = json.loads(line)
                done = int(entry["stop"])
                failures.update({int(row): str(why) for row, why in entry["failures"].items()})
        except (ValueError, KeyError, TypeError) as error:
            place = self.path / _JOURNAL
            raise CorruptFileError(f"cannot read {place}: {error}; {_remedy(self.path)}") from error
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

    def repair(self) -> None:
        """Prepares an interrupted building for the next block: forgets a line that was cut."""
        with store.explained(self.path / _JOURNAL):
            (self.path / _JOURNAL).write_bytes(b"".join(self._lines()))

    def append(self, start: int, values: Stored, failures: Mapping[int, str]) -> None:
        """Writes a block: the values reach the disk before the journal says so.

        Plain writes, not a memory map: on a full disk a map would kill the process (SIGBUS).

        Args:
            start: first row.
            values: shape (m, d), in the type of the folder.
            failures: row of the bank -> reason.

        Raises:
            OutputError: the disk is full; what was written before remains usable.
        """
        path = self.path / _VALUES
        offset = self.values().offset + start * self.card.dim * values.itemsize
        with store.explained(path), path.open("r+b") as stream:
            stream.seek(offset)
            stream.write(np.ascontiguousarray(values).tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        entry = {"stop": start + len(values), "failures": failures}
        with store.explained(self.path / _JOURNAL), (self.path / _JOURNAL).open("ab") as stream:
            stream.write(json.dumps(entry).encode() + b"\n")

    def seal(self) -> None:
        """Closes a finished teacher: mask, reasons and the checksums of all files."""
        _, failures = self.journal()
        valid = np.ones(self.count, dtype=np.bool_)
        valid[list(failures)] = False
        with store.atomic_path(self.path / _VALID) as temporary, temporary.open("wb") as stream:
            np.save(stream, valid, allow_pickle=False)
        store.write_json(self.path / _FAILURES, {str(row): why for row, why in failures.items()})
        sums = {name: store.sha256_of(self.path / name) for name in _SEALED}
        store.write_json(self.path / _SEAL, {"sha256": sums})
        (self.path / _JOURNAL).unlink(missing_ok=True)

    def values(self) -> np.memmap[Any, Any]:
        """Returns the map of the array, shape (n, d), read-only.

        Raises:
            CorruptFileError: the file is missing, cut or of another shape or type.
        """
        return _mapped(self.path / _VALUES, (self.count, self.card.dim), DTYPES[self.dtype])

    def valid(self) -> Mask:
        """Returns the mask, shape (n,); see `values` for errors."""
        return np.asarray(_mapped(self.path / _VALID, (self.count,), np.bool_))

    def failures(self) -> dict[int, str]:
        """Returns row -> reason."""
        raw = store.read_json(self.path / _FAILURES)
        return {int(row): str(reason) for row, reason in raw.items()}

    def checksum(self) -> str:
        """Returns the sha256 of the values, as sealed."""
        return self._sums()[_VALUES]

    def verify(self) -> None:
        """Compares the content of every file with its checksum.

        Raises:
            CorruptFileError: names the file.
        """
        for name, expected in self._sums().items():
            path = self.path / name
            if not path.exists() or store.sha256_of(path) != expected:
                raise CorruptFileError(f"{path} does not match its checksum: {_remedy(self.path)}")

    def _sums(self) -> dict[str, str]:
        sums = store.read_json(self.path / _SEAL).get("sha256")
        if not isinstance(sums, dict) or set(cast("dict[str, str]", sums)) != set(_SEALED):
            raise CorruptFileError(f"{self.path / _SEAL} is no seal: {_remedy(self.path)}")
        return cast("dict[str, str]", sums)

    def _lines(self) -> list[bytes]:
        path = self.path / _JOURNAL
        if not path.exists():
            return []
        lines = path.read_bytes().splitlines(keepends=True)
        return lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines


def _mapped(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.memmap[Any, Any]:
    try:
        array = cast("np.memmap[Any, Any]", np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise CorruptFileError(f"cannot read {path}: {error}; {_remedy(path.parent)}") from error
    expected = f"expected shape {shape} of {np.dtype(dtype).name}"
    if array.shape != shape or array.dtype != dtype:
        raise CorruptFileError(
            f"{path} has shape {array.shape} of {array.dtype.name}, {expected}: "
            f"{_remedy(path.parent)}"
        )
    size, due = path.stat().st_size, array.offset + array.nbytes
    if size != due:
        raise CorruptFileError(f"{path} has {size} bytes, not {due}: {_remedy(path.parent)}")
    return array


def _remedy(folder: Path) -> str:
    return f"delete {folder} and build the bank again, the other teachers stay"
