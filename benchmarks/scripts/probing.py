"""A worker of `compare_builds`: probes one embedder on one task at a time, with whatever molkd it
imports.

It reads a line of JSON per job and writes one: seconds of processor time, and the scores. It calls
what builds of before and after learning curves have in common.
"""

from __future__ import annotations

import inspect
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from molkd.benchmarks import tasks as registry
from molkd.benchmarks.embedders import store
from molkd.benchmarks.quality import jobs, planning

PROBE = "linear"


def main() -> None:
    """Answers until the input ends."""
    start = json.loads(sys.stdin.readline())
    every: Mapping[str, Sequence[str]] = start["embedders"]
    (task,) = registry.load([start["task"]], own=[], data=Path(start["data"]), download=False)
    cache = Path(start["cache"])
    alive = np.ones(len(task.items), dtype=np.bool_)
    for digests in every.values():
        alive &= store.read(cache, digests, task.items).valid
    (plan,) = planning.plan_all(
        [task], lambda _: alive, seeds=range(start["seeds"]), excluded={}, jobs=1, **_own_way()
    )
    for line in sys.stdin:
        label = json.loads(line)
        job = jobs.ScoringJob(plan, label, label, tuple(every[label]), None, (PROBE,), cache)
        keys = frozenset(job.score_keys())
        job = jobs.ScoringJob(plan, label, label, tuple(every[label]), None, (PROBE,), cache, keys)
        started = time.process_time()
        scores = jobs.run(job)
        seconds = time.process_time() - started
        told = [{"seed": each.seed, "test": each.test, "chosen": each.chosen} for each in scores]
        print(json.dumps({"seconds": seconds, "scores": told}), flush=True)


def _own_way() -> dict[str, Any]:
    """How each build is told that tasks are split their own way."""
    return (
        {"methods": ()}
        if "methods" in inspect.signature(planning.plan_all).parameters
        else {"method": None}
    )


if __name__ == "__main__":
    main()
