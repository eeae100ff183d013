"""Files that are whole or absent: atomic writes, checksums, plain JSON."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

from molkd.errors import CorruptFileError, OutputError

_URL = re.compile(r"[A-Za-z][\w+.-]+(?:::[\w+.-]+)*:/")  # pathlib takes the second stroke away


@contextlib.contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Yields a temporary sibling that takes the place of `path` when the block ends well.

    The block writes a file or makes a folder. A file replaces what was there in one step; a folder
    cannot, so that an old one is removed just before.

    Raises:
        OutputError: the disk is full or the folder cannot be written; `path` is untouched.
    """
    refuse_url(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with explained(path):
            yield temporary
            for written in (temporary, *temporary.rglob("*")):
                if written.is_file():
                    with written.open("rb") as stream:
                        os.fsync(stream.fileno())
            if temporary.is_dir():
                remove(path)
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):  # where nothing can be written, nothing is there
            remove(temporary)


def remove_leftovers(path: Path) -> None:
    """Removes what processes that were killed while they wrote `path` have left beside it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        if _is_gone(left.name.split(".")[-2]):
            remove(left)


def _is_gone(process: str) -> bool:
    """Whether no process of this number runs here; where none can be asked (Windows) all do."""
    if os.name == "nt" or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # of another user
        return False
    return False


def remove(path: Path) -> None:
    """Removes a file, or a folder with all that is in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def explained(path: Path) -> Generator[None]:
    """Turns an `OSError` of writing `path` into an `OutputError` that says what to do."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        remedy = {
            errno.ENOSPC: "the disk is full: free some space and run the same command again",
            errno.EDQUOT: "the disk quota is used up: free some space and run it again",
            errno.EFBIG: "no file may be so large here (ulimit -f): write several, or elsewhere",
            errno.EACCES: "permission refused: choose another place",
            errno.EROFS: "the file system is read-only: choose another place",
            errno.EISDIR: "it is a folder: name a file in it",
            errno.EEXIST: f"{error.filename} is a file: choose another folder",
            errno.ENOTDIR: "a part of its path is a file: choose another folder",
        }.get(error.errno or 0, str(error))
        raise OutputError(error.errno, f"cannot write {path}: {remedy}") from error


def is_url(name: str) -> bool:
    """Whether a name is that of a file in a store, such as s3://bucket/name, and no path."""
    found = _URL.match(name)
    return found is not None and name[found.end() :].startswith("/")


def refuse_url(path: Path) -> None:
    """Refuses a URL where a file is to be written.

    Raises:
        OutputError: it is one.
    """
    if _URL.match(str(path)):
        url = str(path).replace(":/", "://", 1)
        raise OutputError(
            f"{url}: nothing is written to a store: write a file here, then copy it there, as with "
            f"'aws s3 cp {path.name} {url}'"
        )


def refuse_folder(path: Path, example: str) -> None:
    """Refuses a folder, or a URL, where a file is to be written; proposes a name in it.

    Raises:
        OutputError: there is a folder of that name, or it is no name of a file here.
    """
    refuse_url(path)
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file in it, such as {path / example}")


def refuse_used(folder: Path) -> None:
    """Refuses a place that is no new or empty folder.

    Raises:
        OutputError: it is a URL, it or a folder above it is a file, or the folder holds something.
    """
    refuse_url(folder)
    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise OutputError(f"{place} is a file: give a new folder")
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder} is not empty: give a new folder")


def lines(path: Path, errors: str = "strict") -> list[str]:
    """Returns the lines of a text; no separator but that of lines ends one, as U+2028 does not."""
    with path.open(encoding="utf-8", errors=errors) as stream:
        return list(stream)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: object) -> None:
    """Writes a value as indented JSON, atomically."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        CorruptFileError: the file is missing, cut, or not a JSON object.
    """
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptFileError(f"cannot read {path}: {error}") from error
    if not isinstance(value, dict):
        raise CorruptFileError(f"{path} does not hold a JSON object")
    return {str(key): item for key, item in value.items()}


def sha256_of(path: Path) -> str:
    """Returns the sha256 of a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
