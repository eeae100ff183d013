"""The process that runs recipes: it tells its parent each one before it checks it."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import resource
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.fuzz.cases import Outcome, run
from tests.fuzz.plan import Plan
from tests.fuzz.targets import TARGETS

MEMORY = 16 << 30
"""Bytes of address space: what asks for more gets a MemoryError instead of the machine's memory."""


def work(connection: Connection, plan: Plan, first: int, stack: str) -> None:
    """Runs a plan from a step on.

    Sends (outcome of the step before, recipe as JSON or None at the end) for each.

    Args:
        connection: to the parent.
        plan: what to run.
        first: steps to leave out.
        stack: file that gets the stack on SIGUSR1, even from within C++.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    warnings.simplefilter("ignore")
    with Path(stack).open("w") as file, quiet():
        faulthandler.enable(file)
        faulthandler.register(signal.SIGUSR1, file, all_threads=False)
        outcome: Outcome | None = None
        for name, number in islice(plan, first, None):
            target = TARGETS[name]
            limit_memory()
            recipe = plan.draw(name, number, target)
            connection.send((outcome, name, json.dumps(recipe)))
            outcome = run(target, recipe)
        connection.send((outcome, None, None))


def limit_memory() -> None:
    """Bounds the address space of this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps RDKit's messages off the terminal, and temporary files in memory where possible."""
    from rdkit import rdBase

    shared = Path("/dev/shm")  # noqa: S108, a file system in memory
    with rdBase.BlockLogs():
        tempfile.tempdir = str(shared) if shared.is_dir() else None
        yield


def scratch() -> Path:
    """Returns a folder of this process, removed at its end."""
    global _scratch  # noqa: PLW0603, one per process
    if _scratch is None:
        _scratch = tempfile.TemporaryDirectory(prefix="molkd-fuzz-")
    return Path(_scratch.name)


_scratch: Any = None
assert sys.platform != "win32"
