"""The engine of one machine: processes featurize, and this one embeds."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import Any, cast

from molkd.embedding.embedder import Embedded, Embedder
from molkd.embedding.engines.base import Done, in_plan_order
from molkd.embedding.plan import Plan
from molkd.formats.chunks import Chunk
from molkd.runtime.processes import ordered_map


def run(plan: Plan, embedder: Embedder, /, *, jobs: int) -> Done:
    """See `molkd.embedding.engines.Engine`."""

    def embedded(chunks: Iterator[Chunk]) -> Iterator[Embedded]:
        taken: deque[Chunk] = deque()

        def noted() -> Iterator[Chunk]:
            for chunk in chunks:
                taken.append(chunk)
                yield chunk

        tasks = noted()
        first = list(islice(tasks, 2))
        some = jobs if len(first) > 1 else 1  # a process would start for longer than it worked
        results = ordered_map(embedder.featurize, chain(first, tasks), jobs=some)
        with contextlib.closing(cast("Generator[Any]", results)):
            for featurized in results:
                yield embedder.embed(taken.popleft(), featurized)

    return in_plan_order(plan, embedded)
