"""A command with all its processes: memory and processor time while it runs, and its killing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_LOOK_EVERY = 0.2
_PATIENCE = 30.0

Strike = Callable[[psutil.Process], bool]
"""Does harm to a command that runs, and says whether it hit; is tried again until it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was seen of a command.

    Attributes:
        code: its exit code; negative for a signal.
        seconds: by the wall clock.
        processor: seconds of all processes that ended before it.
        parent_mb: largest resident size of its first process, in MB.
        workers_mb: the largest sum of all others.
        together_mb: the largest sum of all.
        trace: rows done, seconds and seconds of the processor, whenever rows had been done.
        struck: whether it was harmed; it may have ended before.
    """

    code: int
    seconds: float
    processor: float
    parent_mb: float
    workers_mb: float
    together_mb: float
    trace: tuple[tuple[int, float, float], ...]
    struck: bool = False

    def between(self, first: int, last: int) -> float | None:
        """Returns seconds of the processor per row while rows from `first` to `last` were done.

        Returns:
            None where nothing was seen of one of them.
        """
        ends = [next((one for one in self.trace if one[0] > rows), None) for rows in (first, last)]
        if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
            return None
        return (ends[1][2] - ends[0][2]) / (ends[1][0] - ends[0][0])


def watch(
    command: Sequence[str | Path],
    log: Path,
    done: Callable[[], int],
    *,
    strike: Strike | None = None,
    at: int = 0,
    after: float = 0.0,
) -> Watched:
    """Runs a command in a group of its own.

    Args:
        command: its words.
        log: receives what it prints, appended.
        done: says how many rows are done.
        strike: harms it, once.
        at: rows that are done before.
        after: seconds that pass then.
    """
    start = time.monotonic()
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [*map(str, command)], stdout=stream, stderr=stream, start_new_session=True
        )
    root = psutil.Process(process.pid)
    peaks, trace, struck = (0, 0, 0), list[tuple[int, float, float]](), False
    due = float("inf")
    try:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            passed = time.monotonic() - start
            if pid:
                break
            own, others, used = _sizes(root)
            peaks = (max(peaks[0], own), max(peaks[1], others), max(peaks[2], own + others))
            rows = done()
            if rows > (trace[-1][0] if trace else 0):
                trace.append((rows, passed, used))
            due = min(due, passed + after) if rows >= at else due
            if strike is not None and not struck and passed >= due:
                struck = strike(root)
            time.sleep(_LOOK_EVERY)
        process.returncode = code = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            kill_group(root)
            process.wait()
    parent, workers, together = (round(peak / 2**20, 1) for peak in peaks)
    return Watched(
        code=code,
        seconds=passed,
        processor=usage.ru_utime + usage.ru_stime,
        parent_mb=parent,
        workers_mb=workers,
        together_mb=together,
        trace=tuple(trace),
        struck=struck,
    )


def watched_of(fields: Mapping[str, Any]) -> Watched:
    """Reads what was seen of a command, from JSON."""
    known: dict[str, Any] = {name: fields[name] for name in Watched.__slots__}
    known["trace"] = tuple(tuple(point) for point in fields["trace"])
    return Watched(**known)


def kill_group(root: psutil.Process) -> bool:
    """Kills a command with all its processes at once, as a machine that goes down does."""
    others = root.children(recursive=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(root.pid, signal.SIGKILL)
    psutil.wait_procs(others, timeout=_PATIENCE)
    return True


def kill_worker(root: psutil.Process, name: str) -> bool:
    """Kills that one of its processes which has worked most, of those whose command has a name.

    A cluster has others of that name, for its own ends, that hardly work.
    """
    worked: list[tuple[float, psutil.Process]] = []
    for process in root.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if words and words[0].startswith(name):
                worked.append((process.cpu_times().user, process))
    if not worked:
        return False
    max(worked, key=lambda pair: pair[0])[1].kill()
    return True


def _sizes(root: psutil.Process) -> tuple[int, int, float]:
    """Resident sizes of a process and of all below it, and seconds of the processor of all."""
    own, others, used = 0, 0, 0.0
    try:
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return own, others, used
    for process in processes:
        with contextlib.suppress(psutil.Error):
            size, times = process.memory_info().rss, process.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
            if process is root:
                own = size
            else:
                others += size
    return own, others, used
