"""What every folder of a bank shares: blocks written in order, a journal, a seal.

During the building, `journal.jsonl` gets one line per finished block; a line that was cut by a kill
does not count. `seal.json` holds the checksums and marks the folder as complete.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt

from molkd.errors import CorruptFileError
from molkd.runtime import files
from molkd.runtime.arrays import map_array

Stored = npt.NDArray[np.float16] | npt.NDArray[np.float32]
"""Shape (m, d): rows as they lie on disk; those of failed items are NaN."""

StoredType = Literal["fp16", "fp32"]
DTYPES: Mapping[StoredType, type[np.float16 | np.float32]] = {
    "fp16": np.float16,
    "fp32": np.float32,
}

_NO_ENTRIES = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
_SHA256 = re.compile("[0-9a-f]{64}")
FAILURES = "failures.json"
JOURNAL = "journal.jsonl"
SEAL = "seal.json"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is filled block by block and then sealed.

    Attributes:
        path: where it is.
    """

    SEALED: ClassVar[tuple[str, ...]]
    """Names of the files that the seal covers, the values first."""

    path: Path

    @property
    def sealed(self) -> bool:
        """Whether the folder is complete."""
        return (self.path / SEAL).exists()

    def failures(self) -> dict[int, str]:
        """Returns row -> reason, of a sealed folder.

        Raises:
            CorruptFileError: they are not readable.
        """
        raw = files.read_json(self.path / FAILURES)
        try:
            return {int(row): str(reason) for row, reason in raw.items()}
        except ValueError as error:
            place = self.path / FAILURES
            raise CorruptFileError(
                f"{place} names no rows: {error}; {remedy(self.path)}"
            ) from error

    def checksum(self) -> str:
        """Returns the sha256 of the values, as sealed."""
        return self._sums()[self.SEALED[0]]

    def verify(self) -> None:
        """Compares the content of every file with its checksum.

        Raises:
            CorruptFileError: names the file.
        """
        for name, expected in self._sums().items():
            path = self.path / name
            if not path.exists() or files.sha256_of(path) != expected:
                raise CorruptFileError(f"{path} does not match its checksum: {remedy(self.path)}")

    def repair(self) -> None:
        """Removes a line of the journal that was cut, so that the next block can follow."""
        with files.explained(self.path / JOURNAL):
            (self.path / JOURNAL).write_bytes(b"".join(self._lines()))

    def entries(self) -> list[dict[str, Any]]:
        """Returns the lines of the journal; to be read within `explained`."""
        return [json.loads(line) for line in self._lines()]

    @contextlib.contextmanager
    def explained(self) -> Generator[None]:
        """Turns errors of reading the journal into a `CorruptFileError` that names it."""
        try:
            yield
        except _NO_ENTRIES as error:
            place = self.path / JOURNAL
            raise CorruptFileError(f"cannot read {place}: {error}; {remedy(self.path)}") from error

    def write(self, name: str, offset: int, values: Stored) -> None:
        """Writes values into a file and waits until they are on the disk.

        Plain writes, not a memory map: on a full disk a map would kill the process (SIGBUS).

        Raises:
            OutputError: the disk is full; what was written before remains usable.
        """
        path = self.path / name
        with files.explained(path), path.open("r+b") as stream:
            stream.seek(offset)
            stream.write(np.ascontiguousarray(values).tobytes())
            stream.flush()
            os.fsync(stream.fileno())

    def note(self, entry: Mapping[str, object]) -> None:
        """Appends a line to the journal: the block before it is on the disk."""
        with files.explained(self.path / JOURNAL), (self.path / JOURNAL).open("ab") as stream:
            stream.write(json.dumps(entry).encode() + b"\n")

    def save(self, name: str, array: npt.NDArray[Any]) -> None:
        """Writes an array atomically."""
        with files.atomic_path(self.path / name) as temporary, temporary.open("wb") as stream:
            np.save(stream, array, allow_pickle=False)

    def close(self, failures: Mapping[int, str]) -> None:
        """Writes the reasons and the checksums of all files; the journal goes last."""
        files.write_json(self.path / FAILURES, {str(row): why for row, why in failures.items()})
        sums = {name: files.sha256_of(self.path / name) for name in self.SEALED}
        files.write_json(self.path / SEAL, {"sha256": sums})
        (self.path / JOURNAL).unlink(missing_ok=True)

    def _sums(self) -> dict[str, str]:
        sums = files.read_json(self.path / SEAL).get("sha256")
        named = cast("dict[str, str]", sums if isinstance(sums, dict) else {})
        if set(named) != set(self.SEALED) or not all(
            map(_SHA256.fullmatch, map(str, named.values()))
        ):
            raise CorruptFileError(f"{self.path / SEAL} is no seal: {remedy(self.path)}")
        return named

    def _lines(self) -> list[bytes]:
        path = self.path / JOURNAL
        if not path.exists():
            return []
        lines = path.read_bytes().splitlines(keepends=True)
        return lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines


def mapped(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.memmap[Any, Any]:
    """Returns the map of a .npy file, read-only.

    Raises:
        CorruptFileError: the file is missing, cut or of another shape or type.
    """
    try:
        array = map_array(path)
    except CorruptFileError as error:
        raise CorruptFileError(f"{error}; {remedy(path.parent)}") from error
    expected = f"expected shape {shape} of {np.dtype(dtype).name}"
    if array.shape != shape or array.dtype != dtype:
        raise CorruptFileError(
            f"{path} has shape {array.shape} of {array.dtype.name}, {expected}: "
            f"{remedy(path.parent)}"
        )
    size, due = path.stat().st_size, array.offset + array.nbytes
    if size != due:
        raise CorruptFileError(f"{path} has {size} bytes, not {due}: {remedy(path.parent)}")
    return array


def remedy(folder: Path) -> str:
    """Returns the advice about a damaged folder."""
    return f"delete {folder} and build the bank again, the other teachers stay"
