"""Locks on what one process writes at a time; they end with their owner, however it ends."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Generator, Sequence
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

    A folder that was made and got nothing else goes again, with the folders it was made in. Where
    a file system knows no locks nothing is held, and nothing is refused.

    Raises:
        OutputError: another process holds it, the folder cannot be written, or is a URL.
    """
    from filelock import FileLock, Timeout

    files.refuse_url(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
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
        if made:
            _remove_unused(made)
        lock.release()


def _remove_unused(made: Sequence[Path]) -> None:
    """Removes folders, the innermost first, that hold nothing but the lock."""
    with contextlib.suppress(OSError):
        if [path.name for path in made[0].iterdir()] == [NAME]:
            (made[0] / NAME).unlink()
            for path in made:
                path.rmdir()
