"""What an embedding costs beside what it scores: items per second and core, and megabytes.

A model is timed once, on a sample of the tasks' items, however many embedders it is a part of.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks.embedders import Cut, Embedder, Source
from molkd.benchmarks.embedders.precomputed import Precomputed
from molkd.benchmarks.quality import cost_records
from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.tasks.task import Item, Task
from molkd.runtime.processes import one_thread
from molkd.runtime.progress import Progress
from molkd.teachers.base import weights
from molkd.teachers.conformers import geometry

ITEMS = 200
"""Items of the tasks that are embedded to time a model."""

SECONDS = 20.0
"""Processor time after which a slow model gets no more of them."""

_CHUNK = 25
_WARM_UP = 8
_BYTES = 4  # of a weight, where there is a count and no file


def measure(
    embedders: Sequence[Embedder],
    tasks: Sequence[Task],
    folder: Path,
    *,
    weights_dir: Path | None = None,
    progress: bool = True,
) -> dict[str, EmbeddingCost]:
    """Measures what the file in a folder lacks, and adds it, model by model.

    The same items are asked of every model, in one process with one thread; conformers are made
    anew for each. What stands side by side costs the sum. Run again after a kill, it goes on.

    Args:
        embedders: what is compared.
        tasks: whose items are embedded.
        folder: of the results.
        weights_dir: folder of pretrained weights.
        progress: whether to show it.

    Returns:
        Label -> cost.

    Raises:
        CorruptFileError: the file is something else.
        OutputError: it cannot be written.
    """
    costs, known = cost_records.read(folder)
    sources = {source.digest: source for one in embedders for source in one.sources}
    missing = {digest: sources[digest] for digest in sources if digest not in known}
    sample = _sample(tasks)
    with Progress("cost", len(missing), unit="models", shown=progress) as bar:
        for digest, source in missing.items():
            known[digest] = _measured(source, sample, weights_dir)
            cost_records.write(folder, costs, known)
            bar.update(1)
    for embedder in embedders:
        costs[embedder.label] = _sum(embedder, [known[digest] for digest in embedder.digests])
    cost_records.write(folder, costs, known)
    return {embedder.label: costs[embedder.label] for embedder in embedders}


def _sample(tasks: Sequence[Task]) -> list[Item]:
    items = list(dict.fromkeys(item for task in tasks for side in task.sides for item in side))
    chosen = np.random.default_rng(0).permutation(len(items))[:ITEMS]
    return [items[place] for place in chosen]


def _measured(source: Source, items: Sequence[Item], weights_dir: Path | None) -> EmbeddingCost:
    megabytes = _megabytes(source, weights_dir)
    if isinstance(source.model, Precomputed):
        return EmbeddingCost(source.digest, None, 0, megabytes)
    done, taken = 0, 0.0
    with one_thread(), threadpool_limits(limits=1):
        source.model.embed(items[:_WARM_UP])  # reads weights
        geometry.forget()
        while done < len(items) and taken < SECONDS:
            chunk = items[done : done + _CHUNK]
            start = time.process_time()
            source.model.embed(chunk)
            taken += time.process_time() - start
            done += len(chunk)
    rate = done / max(taken, 1e-6) if done else None
    return EmbeddingCost(source.digest, rate, done, megabytes)


def _megabytes(source: Source, weights_dir: Path | None) -> float | None:
    if source.megabytes is not None:
        return source.megabytes  # weights may be stored in 16 bits
    if source.parameters is not None:
        return source.parameters * _BYTES / 1e6
    model = source.model.model if isinstance(source.model, Cut) else source.model
    card = getattr(model, "card", None)
    found = [weights.find(path, weights_dir) for path in card.sha256] if card else []
    if not found or None in found:
        return None
    return sum(path.stat().st_size for path in found if path is not None) / 1e6


def _sum(embedder: Embedder, parts: Sequence[EmbeddingCost]) -> EmbeddingCost:
    rates = [part.per_second for part in parts]
    sizes = [part.megabytes for part in parts]
    seconds = None if None in rates else sum(1 / rate for rate in rates if rate)
    alone = len(rates) == 1  # 1 / (1 / rate) may differ from it by a bit
    return EmbeddingCost(
        embedder.digest,
        rates[0] if alone else 1 / seconds if seconds else None,
        min(part.items for part in parts),
        None if None in sizes else sum(size for size in sizes if size),
    )
