"""What is read: one file or many, here or in an object store."""

from __future__ import annotations

import glob
import os
import re
import stat
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from molkd.errors import ConfigError, InputError
from molkd.runtime.files import is_url

Source = str | Path | Sequence[str | Path]
"""A file, a folder, "-" for standard input, a pattern, a URL, or several of them."""

STANDARD_INPUT = "-"

_AT_ONCE = 16
"""Files of a store that are asked about at the same time: an answer takes long and costs little."""

_MAGIC = frozenset("*?[")

T = TypeVar("T")


def listed(source: Source) -> tuple[str, ...]:
    """Returns the names of the files of a source, in the order in which their rows are counted.

    Those of a pattern come in the order of their characters, as programs that read several files
    and shells have it, so that part-10 comes before part-9; several names keep their own order. In
    a pattern `*` is any text within a name, `**` any folders, `?` one character, `[0-9]` one of
    some. What `listed` returned is returned again.

    Raises:
        ConfigError: nothing is named, a file twice, or standard input beside files.
        InputError: a pattern matches no file, or a store cannot be reached.
        MissingExtraError: the package for a kind of URL is not installed.
    """
    given = [source] if isinstance(source, str | Path) else [*source]
    names = [name for one in given for name in _matching(str(one))]
    if not names:
        raise ConfigError("no file is named")
    if len(names) > 1:
        if STANDARD_INPUT in names:
            raise ConfigError("standard input (-) cannot be read together with files")
        seen = dict[str | Path, str]()
        for name in names:
            file = resolved(name) or name
            if file in seen:
                also = "" if seen[file] == name else f", also as {seen[file]}"
                raise ConfigError(f"{name} is named twice{also}: its rows would count twice")
            seen[file] = name
    return tuple(names)


def called(names: Sequence[str]) -> str:
    """Returns what messages call a source."""
    if len(names) > 1:
        return f"{names[0]} and {len(names) - 1} more"
    return "standard input" if names[0] == STANDARD_INPUT else names[0]


def last_part(name: str) -> str:
    """Returns the name of a file without its folders, of a URL without its query."""
    served = is_url(name) and name.startswith("http")
    return Path(re.split(r"[?#]", name, maxsplit=1)[0] if served else name).name


def resolved(name: str) -> Path | None:
    """Returns where a file is on this machine; None for one that is elsewhere."""
    return None if name == STANDARD_INPUT or is_url(name) else Path(name).resolve()


def size_of(name: str) -> int | None:
    """Returns the bytes of a file, None where nobody knows."""
    if is_url(name):
        from molkd.formats import stores

        return stores.size_of(name)
    try:
        status = os.fstat(sys.stdin.fileno()) if name == STANDARD_INPUT else Path(name).stat()
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def is_lasting(name: str) -> bool:
    """Whether a file can be read again: no pipe can."""
    return name != STANDARD_INPUT and (is_url(name) or not Path(name).is_fifo())


def each(function: Callable[[str], T], names: Sequence[str]) -> list[T]:
    """Returns what a function says of every file; those of a store are asked at the same time."""
    if not any(map(is_url, names)):
        return [function(name) for name in names]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(function, names))


def _matching(name: str) -> list[str]:
    if is_url(name):
        from molkd.formats import stores  # it loads fsspec

        path = stores.local_path(name)
        found = stores.matching(name) if path is None else _matching_here(path)
    else:
        found = _matching_here(name)
    if not found:
        raise InputError(
            f"no file matches {name!r}: look at the folder (of a store: the bucket) and the "
            "spelling; a pattern stands in quotes, so that the shell leaves it alone"
        )
    return found


def _matching_here(name: str) -> list[str]:
    if not _MAGIC & {*name} or os.path.exists(name):  # noqa: PTH110 - Path knows no long names
        return [name]
    pattern = str(Path(name).expanduser())  # the shell leaves alone what stands in quotes
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path knows no absolute patterns
    return sorted(path for path in found if not Path(path).is_dir())
