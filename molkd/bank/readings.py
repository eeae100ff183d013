"""What students read of a bank's items, kept beside what the teachers say of them.

Reading takes as long as a few epochs of a small student, and every run on a bank reads the same. A
reading lies in a folder of its own, named by all that decides it; one that is damaged is made anew.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from molkd.bank.folder import SEAL
from molkd.bank.index import Header
from molkd.errors import CorruptFileError
from molkd.runtime import files
from molkd.types import digest_of

FOLDER = "readings"
ARRAYS = "arrays.npz"


@runtime_checkable
class Kept(Protocol):
    """Items in the form a student reads, as far as that can be kept as arrays.

    Attributes:
        reader: name and version of what makes it: another reader has another.
    """

    reader: str

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Returns all that it holds; no arrays of objects."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Returns what `arrays` gave, bit for bit."""
        ...


PackedT = TypeVar("PackedT")


def kept(
    path: Path,
    header: Header,
    empty: PackedT,
    libraries: Mapping[str, str],
    make: Callable[[], PackedT],
) -> PackedT:
    """Returns what a student reads of the items of a bank, made once for all runs on it.

    Args:
        path: folder of the bank.
        header: of the bank.
        empty: what the student makes of no items.
        libraries: versions of what reads items, and digests of what it does.
        make: reads all items of the bank; called where no run has kept it, or it cannot be kept.

    Raises:
        OutputError: the disk is full.
    """
    if not isinstance(empty, Kept):
        return make()
    decides = [empty.reader, dict(libraries), header.items, header.errors, header.standardization]
    folder = path / FOLDER / digest_of(decides)
    try:
        return type(empty).from_arrays(_read(folder))
    except (CorruptFileError, OSError, ValueError, KeyError, zipfile.BadZipFile):
        made = make()
    assert isinstance(made, Kept)  # noqa: S101 - as `empty` is
    _write(folder, made.arrays())
    return made


def _read(folder: Path) -> dict[str, npt.NDArray[Any]]:
    path = folder / ARRAYS
    if files.sha256_of(path) != files.read_json(folder / SEAL).get("sha256"):
        raise CorruptFileError(f"{path} does not match its checksum")
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _write(folder: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    files.remove_leftovers(folder)
    with files.atomic_path(folder) as temporary:
        temporary.mkdir()
        with (temporary / ARRAYS).open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        files.write_json(temporary / SEAL, {"sha256": files.sha256_of(temporary / ARRAYS)})
