"""The engine of a Ray cluster: this process reads and writes, workers featurize and embed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from molkd.embedding.embedder import Embedded, Embedder
from molkd.embedding.encoders import FeaturizedChunk
from molkd.embedding.engines.base import Done, Whole, device_of, in_plan_order
from molkd.embedding.plan import Plan
from molkd.formats.chunks import Chunk
from molkd.runtime import cluster


def run(plan: Plan, embedder: Embedder, /, *, jobs: int) -> Done:
    """See `molkd.embedding.engines.Engine`.

    `jobs` are workers of one core each, which do all of a chunk. Of an encoder on a GPU they
    featurize, and one worker for every GPU of the cluster embeds.
    """

    def embedded(chunks: Iterator[Chunk]) -> Iterator[Embedded]:
        if device_of(embedder) == "cuda":
            there = replace(embedder, encoder=_on_cpu(embedder.encoder))
            yield from cluster.ordered_map(
                _Embed(there), chunks, jobs=jobs, before=there.featurize, gpus=1
            )
        else:
            yield from cluster.ordered_map(Whole(embedder), chunks, jobs=jobs)

    return in_plan_order(plan, embedded)


@dataclass(frozen=True)
class _Embed:
    """What a GPU does for a chunk; a worker of Ray sees one only, whatever its number."""

    embedder: Embedder

    def __call__(self, chunk: Chunk, featurized: FeaturizedChunk[Any]) -> Embedded:
        cast("Any", self.embedder.encoder).to("cuda")
        return self.embedder.embed(chunk, featurized)


def _on_cpu(encoder: Any) -> Any:
    return copy.deepcopy(encoder).to("cpu")
