"""The folder of one teacher's nodes in a bank: ragged, all nodes of all items end to end.

It lies within the teacher's own folder, so that both are deleted together. `values.bin` holds the
states without a header, since their number is known only at the end; `starts.npy` holds where those
of each item begin.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from molkd.bank.files import TeacherFolder
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
from molkd.errors import CorruptFileError, IncompleteBankError, StaleBankError
from molkd.runtime import files
from molkd.types import Rows, TeacherCard, digest_of, starts_of

NODES = "atoms"
"""Name of the folder within that of the teacher."""

HEADER = "atoms.json"
_VALUES = "values.bin"
_STARTS = "starts.npy"


@dataclass(frozen=True, slots=True)
class NodeFolder(Folder):
    """The files of one teacher's nodes.

    Attributes:
        teacher: name.
        card: digest of the card of the teacher that wrote them.
        dim: width of a node's state.
        dtype: type in which the values are stored.
        count: rows of the bank.
    """

    SEALED: ClassVar[tuple[str, ...]] = (_VALUES, _STARTS, FAILURES)

    teacher: str
    card: str
    dim: int
    dtype: StoredType
    count: int

    @classmethod
    def create(
        cls, path: Path, card: TeacherCard, dim: int, dtype: StoredType, count: int
    ) -> NodeFolder:
        """Creates the files of an empty folder; the header, written last, makes it valid.

        Raises:
            OutputError: it cannot be written.
        """
        folder = cls(path, card.name, card.digest, dim, dtype, count)
        with files.explained(path):
            path.mkdir(parents=True, exist_ok=True)
            for stale in (SEAL, _STARTS, FAILURES):
                (path / stale).unlink(missing_ok=True)
            for empty in (_VALUES, JOURNAL):
                (path / empty).write_bytes(b"")
        fields = {"teacher": card.name, "card": card.digest, "dim": dim, "dtype": dtype}
        files.write_json(path / HEADER, {**fields, "digest": folder.digest})
        return folder

    @classmethod
    def read(cls, path: Path, count: int) -> NodeFolder:
        """Reads the header of a folder.

        Raises:
            CorruptFileError: the header is not readable or does not match its digest.
        """
        raw = files.read_json(path / HEADER)
        try:
            dtype = cast("StoredType", raw["dtype"])
            dim = int(cast("int", raw["dim"]))
            folder = cls(path, str(raw["teacher"]), str(raw["card"]), dim, dtype, count)
            consistent = raw["digest"] == folder.digest and dtype in DTYPES
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptFileError(f"{path / HEADER} is no header of nodes: {error}") from error
        if not consistent:
            raise CorruptFileError(f"{path / HEADER} does not match its own digest: {remedy(path)}")
        return folder

    @property
    def digest(self) -> str:
        """64 hexadecimal digits that change whenever the nodes' numbers may change."""
        return digest_of(["atoms", self.teacher, self.card, self.dim, self.dtype])

    def journal(self) -> tuple[npt.NDArray[np.int64], dict[int, str]]:
        """Returns the nodes of each row that is done, and row -> reason for those that failed."""
        if self.sealed:
            return np.diff(self.starts()), self.failures()
        counts: list[int] = []
        failures: dict[int, str] = {}
        with self.explained():
            for entry in self.entries():
                counts.extend(int(count) for count in entry["counts"])
                if min(counts, default=0) < 0 or len(counts) > self.count:
                    raise ValueError(f"nodes of {len(counts)} rows of {self.count}")
                failures.update({int(row): str(why) for row, why in entry["failures"].items()})
        return np.array(counts, dtype=np.int64), failures

    def check(self) -> None:
        """Checks sizes, shapes and types of the files, without reading their content.

        Raises:
            CorruptFileError: names the file that is damaged.
        """
        if self.sealed:
            self.values()
            self.checksum()
            return
        due = int(self.journal()[0].sum()) * self._bytes
        if not (self.path / _VALUES).exists() or (self.path / _VALUES).stat().st_size < due:
            raise CorruptFileError(
                f"{self.path / _VALUES} lacks nodes of finished rows: {remedy(self.path)}"
            )

    def append(
        self, before: int, values: Stored, counts: Rows, failures: Mapping[int, str]
    ) -> None:
        """Writes a block; its values are on the disk before its line in the journal is.

        Args:
            before: nodes of all blocks before this one.
            values: shape (a, d), in the type of the folder.
            counts: shape (m,), nodes of each row of the block.
            failures: row of the bank -> reason.

        Raises:
            OutputError: the disk is full; what was written before remains usable.
        """
        self.write(_VALUES, before * self._bytes, values)
        self.note({"counts": counts.tolist(), "failures": failures})

    def seal(self) -> None:
        """Completes the folder: writes starts, reasons and the checksums of all files."""
        counts, failures = self.journal()
        starts = starts_of(counts)
        with files.explained(self.path / _VALUES):  # what an interrupted block left at the end
            os.truncate(self.path / _VALUES, int(starts[-1]) * self._bytes)
        self.save(_STARTS, starts)
        self.close(failures)

    def starts(self) -> Rows:
        """Returns shape (n + 1,): row i holds nodes from starts[i] to starts[i + 1].

        Raises:
            CorruptFileError: the file is missing, cut or of another shape or type.
        """
        path = self.path / _STARTS
        starts = np.asarray(mapped(path, (self.count + 1,), np.int64))
        if starts[0] != 0 or (np.diff(starts) < 0).any():
            raise CorruptFileError(f"{path} holds no starts: {remedy(self.path)}")
        return starts

    def values(self) -> npt.NDArray[Any]:
        """Returns the map of all nodes, shape (a, d), read-only; see `starts` for errors."""
        path = self.path / _VALUES
        shape = (int(self.starts()[-1]), self.dim)
        size, due = (path.stat().st_size if path.exists() else -1), shape[0] * self._bytes
        if size != due:
            what = f"has {size} bytes" if size >= 0 else "is missing"
            raise CorruptFileError(f"{path} {what}, {due} expected: {remedy(self.path)}")
        if not due:
            return np.empty(shape, dtype=DTYPES[self.dtype])
        return np.asarray(np.memmap(path, dtype=DTYPES[self.dtype], mode="r", shape=shape))

    @property
    def _bytes(self) -> int:
        """Of one node."""
        return self.dim * np.dtype(DTYPES[self.dtype]).itemsize


def opened(
    path: Path, folders: Mapping[str, TeacherFolder], names: Sequence[str] | None
) -> dict[str, NodeFolder]:
    """Opens the nodes of the named teachers, or all that are complete.

    Raises:
        IncompleteBankError: those of a named teacher are absent or half-written.
        StaleBankError: they were written by another teacher of this name.
        CorruptFileError: a file is damaged; names it.
    """
    present = {
        name: NodeFolder.read(folder.path / NODES, folder.count)
        for name, folder in folders.items()
        if (folder.path / NODES / HEADER).exists() and (names is None or name in names)
    }
    for name in names or ():
        if name not in present:
            raise IncompleteBankError(no_nodes(path, name, present))
        if not present[name].sealed:
            done, _ = present[name].journal()
            raise IncompleteBankError(
                f"nodes of teacher {name!r} in {path} are there for {len(done)} of "
                f"{present[name].count} rows: build the bank again with the same items to resume"
            )
    complete = {name: folder for name, folder in present.items() if folder.sealed}
    for name, folder in complete.items():
        folder.check()
        if folder.card != folders[name].card.digest:
            raise StaleBankError(
                f"{folder.path} holds nodes of another teacher by the name {name!r}: delete it"
            )
    return complete


def no_nodes(path: Path, teacher: str, present: Mapping[str, NodeFolder]) -> str:
    """Returns the message that a bank lacks the nodes of a teacher, and how to add them."""
    there = f"only of {', '.join(present)}" if present else "nor of any other"
    return (
        f"{path} holds no nodes of teacher {teacher!r}, {there}: build it again with "
        f"nodes=[{teacher!r}], which keeps the rows that are there (a teacher without "
        "`embed_nodes` has none)"
    )
