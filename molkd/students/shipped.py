"""The students that are part of the package, by name.

`molkd-small-1` is one student for ever; `molkd-small` is the newest version of it that the
installed package has.
"""

from __future__ import annotations

from pathlib import Path

DEFAULT = "molkd-small"
"""The student that is used unless another one is named."""

FOLDER = Path(__file__).with_name("shipped_weights")
"""One folder per student, named after it and its version."""


def names() -> list[str]:
    """Returns the names of the students that this package holds, with their versions."""
    return sorted(path.name for path in FOLDER.glob("molkd-*") if path.is_dir())


def folder_of(name: str) -> Path | None:
    """Returns the folder of a student of the package, the newest where no version is given.

    Returns:
        None where the package holds none of that name.
    """
    versions = {
        int(version): FOLDER / found
        for found in names()
        for stem, _, version in [found.rpartition("-")]
        if name in {stem, found} and version.isdigit()
    }
    return versions[max(versions)] if versions else None


def label_of(model: str) -> str:
    """Returns what files call a student: its folder's own name, however typed, or its hub name.

    What identifies it is its digest.
    """
    folder = folder_of(model) or Path(model).expanduser()
    return folder.resolve().name if folder.is_dir() else model
