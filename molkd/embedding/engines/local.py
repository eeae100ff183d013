"""The engine of one machine: processes featurize, and this one embeds."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import Any, cast

from molkd.embedding.embedder import Embedder
from molkd.embedding.engines.base import Done
from molkd.embedding.plan import Plan, Task
from molkd.formats.chunks import Chunk
from molkd.runtime.processes import ordered_map


def run(plan: Plan, embedder: Embedder, /, *, jobs: int) -> Done:
    """See `molkd.embedding.engines.Engine`."""
    waiting: deque[Task] = deque()

    def unfinished() -> Iterator[Chunk]:
        for task in plan:
            waiting.append(task)
            if task.chunk is not None:
                yield task.chunk

    chunks = unfinished()
    first = list(islice(chunks, 2))
    jobs = jobs if len(first) > 1 else 1  # a process would start for longer than it worked
    tasks = chain(first, chunks)
    results = cast("Generator[Any]", ordered_map(embedder.featurize, tasks, jobs=jobs))
    with contextlib.closing(results):
        for featurized in results:
            while (task := waiting.popleft()).chunk is None:
                yield task, None
            yield task, embedder.embed(task.chunk, featurized)
    for task in waiting:
        yield task, None
