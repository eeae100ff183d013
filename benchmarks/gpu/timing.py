"""How well a student uses a device: `python -m molkd.benchmarks.gpu.timing small --device cuda`.

Writes one line of JSON per measurement: molecules a second, the share of the time in which a kernel
runs, and the share of what a large matrix product of the same precision reaches on the same device.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from molkd import students
from molkd.benchmarks.speed import corpus
from molkd.benchmarks.speed.training import VALID, learner
from molkd.benchmarks.tasks.modalities import BENCHMARKED

BATCH = 1024
"""Molecules per pass of an embedding."""

PRECISIONS = ("fp32", "bf16")

TRAINED = 4096
"""Molecules of an epoch, at most: their targets take a CPU's time first."""


def main() -> None:
    """Measures embedding and training of one size in both precisions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rows", type=int, default=16384)
    given = parser.parse_args()
    device = torch.device(given.device)
    library = corpus.load(None)
    items = (list(library.items) * (-(-given.rows // len(library.items))))[: given.rows]
    peaks = {name: _peak(device, name) for name in PRECISIONS}
    student = students.make(students.sized(given.size)).to(device)
    prepared = student.featurize(items)
    for name in PRECISIONS:
        _report(
            "embedding",
            name,
            peaks,
            device,
            lambda name=name: _embed(student, prepared, device, name),
            len(items),
        )
    _train(given.size, items[: TRAINED + VALID], device, peaks)


def _embed(student: Any, prepared: Any, device: torch.device, precision: str) -> None:
    half = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    with half:
        student.encode(prepared, batch_size=BATCH)


def _train(size: str, items: list[Any], device: torch.device, peaks: dict[str, float]) -> None:
    modality = BENCHMARKED["molecules"]
    readable = [item for item in items if not modality.base.check([item], "none").failures]
    for name in PRECISIONS:
        student = students.make(students.sized(size))
        with tempfile.TemporaryDirectory() as folder:
            learn = learner(
                student,
                readable,
                modality,
                Path(folder),
                str(device),
                time.perf_counter,
                precision=cast("Any", name),
            )
            count = len(readable) - VALID
            _report("training", name, peaks, device, lambda c=count, f=learn: f(c), count)


def _report(
    work: str,
    precision: str,
    peaks: dict[str, float],
    device: torch.device,
    step: Callable[[], object],
    count: int,
) -> None:
    """Measures a step and writes its line; a failure is a line too, and ends the process later."""
    row: dict[str, Any] = {"work": work, "precision": precision, "rate": None}
    row |= {"busy": None, "peak": None, "note": ""}
    try:
        step()  # memory, kernels and libraries of the first time
        seconds = min(_seconds(step, device) for _ in range(3))
        row["rate"] = count / seconds
        row["peak"] = _operations(step) / seconds / peaks[precision]
        row["busy"] = _busy(step, device)
    except Exception as error:  # noqa: BLE001 - of whatever the device or another torch raises
        row["note"] = f"{type(error).__name__}: {error}".partition("\n")[0]
        _FAILED.append(work)
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


_FAILED: list[str] = []


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _seconds(step: Callable[[], object], device: torch.device) -> float:
    _synchronize(device)
    start = time.perf_counter()
    step()
    _synchronize(device)
    return time.perf_counter() - start


def _operations(step: Callable[[], object]) -> float:
    """Additions and multiplications of matrix products in a step."""
    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def _busy(step: Callable[[], object], device: torch.device) -> float | None:
    """The share of a step's time in which kernels run; None on a CPU."""
    if device.type != "cuda":
        return None
    with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as profiled:
        seconds = _seconds(step, device)
    total = 0.0
    for event in profiled.key_averages():
        # Its name has changed between versions of torch.
        own = getattr(event, "self_device_time_total", None)
        total += float(getattr(event, "self_cuda_time_total", 0.0) if own is None else own)
    return total / 1e6 / seconds


def _peak(device: torch.device, precision: str) -> float:
    """Operations a second of a large matrix product."""
    width = 8192 if device.type == "cuda" else 512
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    matrix = torch.randn(width, width, device=device, dtype=dtype)
    seconds = min(_seconds(lambda: matrix @ matrix, device) for _ in range(6))
    return 2.0 * width**3 / seconds


if __name__ == "__main__":
    main()
    sys.exit(1 if _FAILED else 0)
