"""How much memory some work needs: the peak of the resident size while it runs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from molkd.runtime import memory

Result = TypeVar("Result")

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")
_MB = 1024


def added_by(work: Callable[[], Result]) -> tuple[Result, float | None, float | None]:
    """Does some work and watches this process meanwhile.

    Linux keeps the peak per address space and lets it be reset, so the figure is exact there.
    `getrusage` elsewhere knows one peak since the start: what the work needs below it is not seen.

    Returns:
        What the work returns, the resident size before it in MB, and by how much the peak rose
        above that in MB; None where the system does not say.
    """
    gc.collect()
    memory.release()  # what is free and kept would serve the work unseen
    _reset_peak()
    before, peak = _sizes()
    result = work()
    _, after = _sizes()
    if before is None or after is None or peak is None:
        return result, None, None
    return result, before / _MB, max(after - before, 0) / _MB


def _reset_peak() -> None:
    try:
        _RESET.write_text("5")
    except OSError:
        return  # another system, or a sandbox: the peak is then that since the start


def _sizes() -> tuple[int | None, int | None]:
    """Resident size and its peak, in kB."""
    try:
        lines = _STATUS.read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(fields["VmRSS"].split()[0]), int(fields["VmHWM"].split()[0])
    except (OSError, KeyError):
        peak = _peak_since_start()
        return peak, peak


def _peak_since_start() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
