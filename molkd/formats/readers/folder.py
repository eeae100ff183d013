"""Folders of files: one item per file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from molkd.errors import InputError
from molkd.formats.chunks import Row
from molkd.formats.columns import Columns

_SUFFIXES = frozenset(
    {"png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm", "pbm", "pnm"}
)


def read_folder(folder: Path, columns: Columns) -> Iterator[Row]:
    """Yields the image files of a folder and the folders in it, sorted by path.

    The identifier is the path within the folder. Hidden files, and files with other suffixes, are
    no rows.

    Raises:
        ConfigError: columns were chosen.
        InputError: a folder cannot be read.
    """
    columns.refuse(str(folder), id_too=True)
    for path in _files(folder):
        yield path.relative_to(folder).as_posix(), path, None, None


def _files(folder: Path) -> list[Path]:
    paths: list[Path] = []

    def refuse(error: OSError) -> None:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [
            Path(place) / name
            for name in names
            if not name.startswith(".") and name.rpartition(".")[2].lower() in _SUFFIXES
        ]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())
