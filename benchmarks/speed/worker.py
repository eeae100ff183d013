"""The process that measures one cell, fresh for each: `python -m molkd.benchmarks.speed.worker`.

Reads a `SpeedRequest` as JSON from standard input and writes one JSON object to standard output:
{"root": folder of the molkd that was measured, "measured": ...} or {"root": ..., "error": "..."}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import molkd
from molkd.benchmarks.speed.interleaved import Limits
from molkd.benchmarks.speed.records import SpeedMeasurement, SpeedRequest, clock_of
from molkd.benchmarks.tasks.modalities import BENCHMARKED

CLOCKS: Mapping[str, Callable[[], float]] = {
    "processor": time.process_time,
    "wall": time.perf_counter,
}
"""See `records.clock_of`."""


def measure(request: SpeedRequest) -> SpeedMeasurement:
    """Measures what is asked for, in this process.

    Raises:
        MolkdError: there is no such embedder, or it can embed nothing.
    """
    modality = BENCHMARKED[request.reads]
    with Path(request.items).open(encoding="utf-8") as stream:
        lines = (line.rstrip("\n") for line in islice(stream, request.size))
        items = list(map(modality.item, lines))
    limits = Limits(repeats=request.repeats, seconds=request.seconds, count=request.count)

    def make() -> Any:
        from molkd.benchmarks.speed import models

        folder = Path(request.weights_dir) if request.weights_dir else None
        return models.make(request.spec, weights_dir=folder, device=request.device)

    return _MEASURES[request.work](make, items, limits, request)


def _embedding(
    make: Callable[[], Any], items: list[Any], limits: Limits, request: SpeedRequest
) -> SpeedMeasurement:
    from molkd.benchmarks.speed.embedding import embedding

    clock = CLOCKS[clock_of(request.device, request.threads)]
    return embedding(make, items, limits, BENCHMARKED[request.reads], clock=clock)


def _training(
    make: Callable[[], Any], items: list[Any], limits: Limits, request: SpeedRequest
) -> SpeedMeasurement:
    from molkd.benchmarks.speed.training import training

    modality, clock = BENCHMARKED[request.reads], CLOCKS[clock_of(request.device, request.threads)]
    return training(make, items, limits, modality, device=request.device, clock=clock)


_MEASURES = {"embedding": _embedding, "training": _training}


def respond(measure: Callable[[dict[str, Any]], Any]) -> None:
    """Measures what one request asks for: JSON from standard input, JSON to standard output.

    Args:
        measure: from the fields of the request to a dataclass.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not mix with the answer
    message: dict[str, object] = {"root": str(Path(molkd.__file__).parent.parent)}
    try:
        message["measured"] = asdict(measure(json.load(sys.stdin)))
    except Exception as error:  # noqa: BLE001  (whatever is measured may raise: its result)
        message["error"] = f"{type(error).__name__}: {error}"
    with answers:
        json.dump(message, answers)


if __name__ == "__main__":
    respond(lambda fields: measure(SpeedRequest(**fields)))
