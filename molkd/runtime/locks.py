"""Locks on what one process writes at a time; they end with their owner, however it ends."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Generator
from pathlib import Path

from molkd.errors import OutputError
from molkd.runtime import files

NAME = "lock"
"""Of the file, in the folder that is locked."""

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What file systems without locks answer."""


@contextlib.contextmanager
def held(folder: Path) -> Generator[None]:
    """Holds a folder, which is made where there is none; the file of the lock stays in it.

    Where a file system knows no locks nothing is held, and nothing is refused.

    Raises:
        OutputError: another process holds it, the folder cannot be written, or is a URL.
    """
    from filelock import FileLock, Timeout

    files.refuse_url(folder)
    lock = FileLock(folder / NAME, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(
            f"another process is writing {folder}: wait for its end, or give another output"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            with files.explained(folder):
                raise
    try:
        yield
    finally:
        lock.release()
