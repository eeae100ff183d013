"""NumPy's files, read without pickle so that a damaged one is named."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from molkd.errors import CorruptFileError

Array = npt.NDArray[Any]


def read_array(path: Path) -> Array:
    """Reads a .npy file into memory.

    Raises:
        CorruptFileError: it is missing, cut, damaged, or no array; names it.
    """
    with _explained(path), path.open("rb") as stream:  # numpy leaves a damaged file open
        return _checked(np.load(stream, allow_pickle=False))


def map_array(path: Path) -> np.memmap[Any, Any]:
    """Returns the map of a .npy file, read-only; see `read_array` for errors."""
    with _explained(path):
        array = _checked(np.load(path, mmap_mode="r", allow_pickle=False))
        return cast("np.memmap[Any, Any]", array)


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, Array]:
    """Reads arrays of a .npz file: those of these names that are there, or all of them.

    Raises:
        CorruptFileError: it is missing, cut or damaged, or holds something else; names it.
    """
    with _explained(path), path.open("rb") as stream:
        archive = np.load(stream, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise TypeError("a single array and no archive of arrays")
        with archive:
            there = [name for name in archive.files if names is None or name in names]
            return {name: _checked(archive[name]) for name in there}


def _checked(value: object) -> Array:
    if not isinstance(value, np.ndarray):
        raise TypeError("it holds something that is no array")
    return cast("Array", value)


@contextlib.contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except Exception as error:  # numpy and zipfile raise a dozen unrelated classes
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CorruptFileError(f"cannot read {path}: {reason}") from error
