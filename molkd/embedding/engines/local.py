"""The engine of one machine: processes do all of a chunk, or feed the GPU of this one."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import Any, cast

from molkd.embedding.embedder import Embedded, Embedder
from molkd.embedding.engines.base import Done, Whole, device_of, in_plan_order
from molkd.embedding.plan import Plan
from molkd.formats.chunks import Chunk
from molkd.runtime.processes import ordered_map


def run(plan: Plan, embedder: Embedder, /, *, jobs: int) -> Done:
    """See `molkd.embedding.engines.Engine`.

    `jobs` are processes of one thread each, which do all of a chunk. Of an encoder on a GPU they
    featurize, and this process embeds.
    """
    work = _with_cores if device_of(embedder) == "cpu" else _with_gpu

    def embedded(chunks: Iterator[Chunk]) -> Iterator[Embedded]:
        first = list(islice(chunks, 2))
        some = jobs if len(first) > 1 else 1  # a process would start for longer than it worked
        return work(embedder, chain(first, chunks), some)

    return in_plan_order(plan, embedded)


def _with_cores(embedder: Embedder, chunks: Iterator[Chunk], jobs: int) -> Iterator[Embedded]:
    return ordered_map(Whole(embedder), chunks, jobs=jobs)


def _with_gpu(embedder: Embedder, chunks: Iterator[Chunk], jobs: int) -> Iterator[Embedded]:
    taken: deque[Chunk] = deque()

    def noted() -> Iterator[Chunk]:
        for chunk in chunks:
            taken.append(chunk)
            yield chunk

    results = ordered_map(embedder.featurize, noted(), jobs=jobs)
    with contextlib.closing(cast("Generator[Any]", results)):
        for featurized in results:
            yield embedder.embed(taken.popleft(), featurized)
