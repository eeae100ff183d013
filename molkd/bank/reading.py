"""Reading a bank: the embeddings of a corpus by frozen teachers, mapped from disk.

Building one is in `molkd.bank.builder`, statistics of its columns in `molkd.targets.fitting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.bank import index
from molkd.bank.files import CARD, TeacherFolder, folder_name
from molkd.bank.index import Header
from molkd.bank.node_files import NodeFolder, no_nodes, opened
from molkd.errors import IncompleteBankError, ShapeError, UnknownNameError
from molkd.types import Mask, Matrix, Rows, TeacherCard, digest_of, ranges_of

_HALVES = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""The float32 of every fp16 number: looking them up is faster than numpy's conversion."""


@dataclass(frozen=True)
class Bank:
    """The embeddings of a corpus by several teachers.

    Attributes:
        path: the folder.
        header: count and digests of its items.
        folders: teacher -> its files, complete and of the right size.
        node_folders: teacher with nodes -> their files, likewise.
    """

    path: Path
    header: Header
    folders: Mapping[str, TeacherFolder]
    node_folders: Mapping[str, NodeFolder] = field(default_factory=dict[str, NodeFolder])

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        items: Sequence[str] | None = None,
        teachers: Sequence[str] | None = None,
        nodes: Sequence[str] | None = None,
        verify: bool = False,
    ) -> Bank:
        """Opens a bank; sizes, shapes and types of its files are always checked.

        Args:
            path: the folder.
            items: the items it must hold; any by default.
            teachers: names of those to open; all by default.
            nodes: names of teachers whose nodes to open; by default all whose nodes are complete.
            verify: whether to compare every file with its checksum too, which reads all of it.

        Raises:
            IncompleteBankError: there is no bank, or a teacher or its nodes are absent or
                half-written.
            StaleBankError: it holds other items, or has another format.
            CorruptFileError: a file is damaged; names it.
        """
        header = index.read(path)
        if items is not None:
            index.refuse_other_items(path, header, items)
        folders = [
            _complete(TeacherFolder.read(place, header.count)) for place in _places(path, teachers)
        ]
        named = {folder.card.name: folder for folder in folders}
        bank = cls(path, header, named, opened(path, named, nodes))
        if verify:
            bank.verify()
        return bank

    def verify(self) -> None:
        """Compares every file with its checksum.

        Raises:
            CorruptFileError: names the file.
        """
        _ = self._index
        for folder in (*self.folders.values(), *self.node_folders.values()):
            folder.verify()

    def __len__(self) -> int:
        return self.header.count

    @property
    def items(self) -> Sequence[str]:
        """The items in order, read on first use."""
        return self._index[0]

    @property
    def errors(self) -> Mapping[int, str]:
        """Row -> reason, for invalid items, which no teacher embedded."""
        return self._index[1]

    @property
    def cards(self) -> Mapping[str, TeacherCard]:
        """Teacher -> its card."""
        return {name: folder.card for name, folder in self.folders.items()}

    @property
    def digest(self) -> str:
        """64 hexadecimal digits that change with items, teachers and their values, nodes included.

        A bank without nodes has the digest that it had before there were nodes.
        """
        content: dict[str, object] = {
            "items": [self.header.items, self.header.errors, self.header.standardization],
            "teachers": {
                name: [folder.card.digest, folder.checksum()]
                for name, folder in self.folders.items()
            },
        }
        if self.node_folders:
            content["atoms"] = {
                name: [folder.digest, folder.checksum()]
                for name, folder in self.node_folders.items()
            }
        return digest_of(content)

    def raw(self, teacher: str, rows: Rows) -> Matrix:
        """Returns the embeddings of some items by a teacher, unscaled.

        Args:
            teacher: name.
            rows: shape (m,), in any order, repeated or not.

        Returns:
            Shape (m, d); NaN rows where the teacher failed.

        Raises:
            UnknownNameError: no such teacher in the bank.
            ShapeError: a row is not in the bank.
        """
        _ = self.folder(teacher)
        rows = self.checked(rows)
        return _gathered(self._arrays[teacher], rows)

    def nodes(self, teacher: str, rows: Rows) -> tuple[Matrix, Rows]:
        """Returns the states of the nodes of some items, end to end.

        Args:
            teacher: name.
            rows: shape (m,), in any order, repeated or not.

        Returns:
            Shape (a, d), the nodes of the first row, then those of the second, ...; and shape
            (m,), the nodes of each row: 0 where the teacher failed.

        Raises:
            UnknownNameError: no such teacher in the bank.
            IncompleteBankError: the bank holds no nodes of it; says how to add them.
            ShapeError: a row is not in the bank.
        """
        starts = self._node_starts(teacher)
        rows = self.checked(rows)
        counts = starts[rows + 1] - starts[rows]
        return _gathered(self._node_arrays[teacher], ranges_of(starts[rows], counts)), counts

    def node_chunks(
        self, teacher: str, rows: Rows, *, size: int = 512
    ) -> Iterator[npt.NDArray[np.float64]]:
        """Yields the nodes of some items in pieces, as `molkd.targets.fitting.describe` takes them.

        Args:
            teacher: name.
            rows: shape (m,); read in ascending order, each as often as it is named.
            size: rows per piece.

        Yields:
            Shape (a, d), float64, without NaN; every node counts once, whatever its item.

        Raises:
            See `nodes`.
        """
        rows = np.sort(self.checked(rows))
        for start in range(0, len(rows), size):
            yield self.nodes(teacher, rows[start : start + size])[0].astype(np.float64)

    def valid(self, teacher: str) -> Mask:
        """Returns where a teacher succeeded, shape (n,); see `raw` for errors."""
        _ = self.folder(teacher)
        return self._masks[teacher]

    def failures(self, teacher: str) -> Mapping[int, str]:
        """Returns row -> reason where a teacher failed; see `raw` for errors."""
        return self.folder(teacher).failures()

    def folder(self, teacher: str) -> TeacherFolder:
        """Returns the files of a teacher.

        Raises:
            UnknownNameError: no such teacher in the bank.
        """
        if teacher not in self.folders:
            names = ", ".join(self.folders)
            raise UnknownNameError(f"{self.path} holds no teacher {teacher!r}, only {names}")
        return self.folders[teacher]

    def checked(self, rows: Rows) -> Rows:
        """Returns rows as they are, if all of them are in the bank.

        Raises:
            ShapeError: they are no integers of shape (m,), or one is not in the bank.
        """
        if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
            raise ShapeError(f"rows must be integers of shape (m,), not {rows.dtype} {rows.shape}")
        outside = rows[(rows < 0) | (rows >= len(self))]
        if len(outside):
            raise ShapeError(f"row {outside[0]} is not in the bank, which has {len(self)} rows")
        return rows.astype(np.int64, copy=False)

    @cached_property
    def _index(self) -> tuple[list[str], dict[int, str]]:
        return index.read_items(self.path, self.header)

    @cached_property
    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {name: np.asarray(folder.values()) for name, folder in self.folders.items()}

    @cached_property
    def _node_arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {name: folder.values() for name, folder in self.node_folders.items()}

    @cached_property
    def _all_node_starts(self) -> dict[str, Rows]:
        return {name: folder.starts() for name, folder in self.node_folders.items()}

    def _node_starts(self, teacher: str) -> Rows:
        _ = self.folder(teacher)
        if teacher not in self.node_folders:
            raise IncompleteBankError(no_nodes(self.path, teacher, self.node_folders))
        return self._all_node_starts[teacher]

    @cached_property
    def _masks(self) -> dict[str, Mask]:
        return {name: folder.valid() for name, folder in self.folders.items()}


def _gathered(array: npt.NDArray[Any], rows: Rows) -> Matrix:
    """Returns rows of an array on disk as float32."""
    order = np.argsort(rows, kind="stable")  # the disk is read in one direction
    ascending = array[rows[order]]
    values = np.empty_like(ascending)
    values[order] = ascending
    return _HALVES.take(values.view(np.uint16)) if values.dtype == np.float16 else values


def _places(path: Path, teachers: Sequence[str] | None) -> list[Path]:
    if teachers is None:
        return sorted(card.parent for card in path.glob(f"*/{CARD}"))
    for name in teachers:
        if not (path / folder_name(name) / CARD).exists():
            raise IncompleteBankError(f"{path} lacks teacher {name!r}: build it with this one")
    return [path / folder_name(name) for name in teachers]


def _complete(folder: TeacherFolder) -> TeacherFolder:
    name = folder.card.name
    if not folder.sealed:
        done, _ = folder.journal()
        raise IncompleteBankError(
            f"teacher {name!r} in {folder.path.parent} has {done} of {folder.count} rows: build "
            "the bank again with the same items to resume"
        )
    folder.check()
    return folder
