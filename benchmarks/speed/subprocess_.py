"""Measuring one cell in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import molkd
from molkd.benchmarks.speed.records import SpeedMeasurement, SpeedRequest, measured_of
from molkd.errors import MolkdError

ROOT = Path(molkd.__file__).parent.parent
"""Folder that holds the molkd of this process."""

Result = TypeVar("Result")

Measure = Callable[[SpeedRequest], SpeedMeasurement]
"""Measures one cell; raises `CellError`."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


class CellError(MolkdError, RuntimeError):
    """A cell could not be measured; the message says why."""


def measure(request: SpeedRequest) -> SpeedMeasurement:
    """Measures one cell with the molkd of this process; see `measure_in`."""
    return measure_in(request, ROOT)


def measure_in(request: SpeedRequest, root: Path) -> SpeedMeasurement:
    """Measures one cell in a fresh process, so that its memory and its start-up are its own.

    Args:
        request: what to measure.
        root: folder that holds the package molkd to be measured.

    Raises:
        CellError: the embedder raised, the process died or took far too long, or another molkd
            answered.
    """
    return run_worker(
        "molkd.benchmarks.speed.worker",
        asdict(request),
        measured_of,
        root=root,
        threads=request.threads,
        patience=600 + 20 * request.seconds,
    )


def run_worker(
    module: str,
    request: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], Result],
    *,
    root: Path,
    threads: int,
    patience: float,
) -> Result:
    """Runs a module that answers one request, in a fresh process; see `worker.respond`.

    Args:
        module: name of the module.
        request: goes to its standard input as JSON.
        read: turns what it measured into a result.
        root: folder that holds the package molkd to be measured.
        threads: of the computation.
        patience: seconds after which it is stopped.

    Raises:
        CellError: see `measure_in`.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            check=False,
            env=_environment(root, threads),
            timeout=patience,
        )
    except subprocess.TimeoutExpired as error:
        raise CellError(
            f"stopped after {patience:.0f} s: it costs far more than a trial of it"
        ) from error
    return _read(done, root, read)


def _environment(root: Path, threads: int) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return {
        **os.environ,
        **dict.fromkeys(_THREADS, str(threads)),
        "OMP_WAIT_POLICY": "passive",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": path,
    }


def _read(
    done: subprocess.CompletedProcess[str], root: Path, read: Callable[[Mapping[str, Any]], Result]
) -> Result:
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    if done.returncode < 0:
        raise CellError(f"killed by signal {-done.returncode}, perhaps for want of memory: {last}")
    try:
        message = json.loads(done.stdout)
        if Path(message["root"]).resolve() != root.resolve():
            raise CellError(f"the molkd of {message['root']} was measured, not that of {root}")
        if "error" in message:
            raise CellError(message["error"])
        return read(message["measured"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CellError(
            f"the measuring process ended with code {done.returncode}: {last}"
        ) from error
