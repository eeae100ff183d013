"""Tasks on chains of letters, models that count them, and runs of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from molkd.benchmarks.embedders import Embedder, Source
from molkd.benchmarks.quality.evaluation import QualitySettings, Workspace, evaluate
from molkd.benchmarks.records import Results, Score
from molkd.benchmarks.tasks.task import Labels, Task
from molkd.types import Embeddings

SMILES = tuple("C" * n + tail for n in range(1, 21) for tail in ("N", "O", "F", "Cl", "Br", "I"))


class Letters:
    """Embeds SMILES by counts of letters, with noise; cannot embed what begins with a prefix."""

    def __init__(self, noise: float = 0.0, refuses: str = "-") -> None:
        self.noise = noise
        self.refuses = refuses
        self.asked = 0

    def embed(self, items: Sequence[str], /) -> Embeddings:
        self.asked += len(items)
        random = np.random.default_rng(len(items))
        counts = [[text.count(letter) for letter in "CNOFBI"] for text in items]
        values = np.array(counts, dtype=np.float32)
        values += (self.noise * random.normal(size=values.shape)).astype(np.float32)
        failed = {row: "refused" for row, text in enumerate(items) if text.startswith(self.refuses)}
        values[list(failed)] = np.nan
        return Embeddings(values, failed)


def embedder(label: str, model: Letters, components: int | None = None) -> Embedder:
    digest = f"{label:0<64}"
    return Embedder(label, label, "teacher", (Source(digest, model, 0),), components)


def task(name: str = "polar", **changes: Any) -> Task:
    y = np.array([float("N" in text or "O" in text) for text in SMILES])[:, None]
    task = Task(
        name=name,
        group="own",
        kind="classification",
        metric="AUROC",
        items=SMILES,
        labels=y,
    )
    return replace(task, **changes)


def tails(name: str = "tails", **changes: Any) -> Task:
    """Which letter a chain ends with: six classes."""
    y = np.array([float(row % 6) for row in range(len(SMILES))])[:, None]
    return task(name, kind="multiclass", metric="Accuracy", labels=y, **changes)


def direct() -> list[Task]:
    """Tasks in which nothing is trained."""
    pairs = lengths("pairs")
    return [
        replace(tails("clusters"), kind="clustering", metric="V-measure"),
        replace(tails("neighbours"), kind="retrieval"),
        replace(pairs, kind="similarity", metric="Spearman", others=SMILES[6:] + SMILES[:6]),
    ]


def lengths(name: str = "length") -> Task:
    y: Labels = np.array([float(len(text)) for text in SMILES])[:, None]
    return task(name, kind="regression", metric="MAE", labels=y)


def run(
    folder: Path,
    tasks: Sequence[Task] | None = None,
    embedders: Sequence[Embedder] | None = None,
    settings: QualitySettings | None = None,
    **more: Any,
) -> Results:
    place = Workspace(folder=folder, cache=folder / "cache", progress=False)
    made = embedders or [embedder("exact", Letters()), embedder("noisy", Letters(noise=3))]
    return evaluate(
        tasks or [task(), lengths()], made, settings or QualitySettings(seeds=2), place, **more
    )


def scores(found: Results, **wanted: object) -> list[Score]:
    return [
        score
        for score in found.scores
        if all(getattr(score, name) == value for name, value in wanted.items())
    ]
