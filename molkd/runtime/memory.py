"""Memory that was freed but not returned, which makes a long job seem to leak."""

from __future__ import annotations

import ctypes
import sys
from functools import cache


def release() -> None:
    """Returns freed memory to the system, where the C library holds on to it (glibc does).

    Batches of ever new sizes leave holes that glibc neither reuses nor returns: 4 kB for each
    molecule embedded, without end. Called once per chunk, this costs a few percent of the time.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> ctypes._NamedFuncPointer | None:  # pyright: ignore[reportPrivateUsage]
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def peak() -> float:
    """Returns the largest memory that this process has had, in bytes; NaN where nobody says."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
