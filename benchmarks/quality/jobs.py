"""The work of one worker process: an embedder on a task, with all probes, labels and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from molkd.benchmarks.embedders import store
from molkd.benchmarks.quality import scoring
from molkd.benchmarks.quality.planning import TaskPlan
from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.quality.zero_shot import Sides
from molkd.benchmarks.records import Score
from molkd.benchmarks.tasks.kinds import PARTS
from molkd.types import digest_of


@dataclass(frozen=True, slots=True, eq=False)
class ScoringJob:
    """An embedder on a task.

    Attributes:
        plan: of the task.
        label: of the embedder.
        digest: of the embedder.
        sources: digests of the models whose embeddings it puts side by side.
        components: see `Embedder.components`.
        asked: names of probes, or of the measure of the task's kind.
        cache: of the embeddings.
    """

    plan: TaskPlan
    label: str
    digest: str
    sources: tuple[str, ...]
    components: int | None
    asked: tuple[str, ...]
    cache: Path

    def questions(self) -> Iterator[tuple[str, ProbeTask, dict[str, str]]]:
        """All questions, with label and probe -> key of the score."""
        abouts = {name: scoring.describe(name) for name in self.asked}
        for label, asked in self.plan.questions.items():
            for probe_task in asked:
                deciding = [probe_task.digest, self.digest]
                keys = {name: digest_of([*deciding, about]) for name, about in abouts.items()}
                yield label, probe_task, keys

    def score_keys(self) -> Iterator[str]:
        """The keys of all its scores."""
        return (key for *_, keys in self.questions() for key in keys.values())


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A cell and the keys of those of its scores that are still to be computed."""

    cell: ScoringJob
    keys: frozenset[str]


def answered(order: Order) -> list[Score]:
    """Computes the scores of an order; what a worker process does."""
    cell = order.cell
    sides = tuple(
        store.read(cell.cache, cell.sources, side).values for side in cell.plan.task.sides
    )
    scores: list[Score] = []
    for label, probe_task, keys in cell.questions():
        wanted = {name: key for name, key in keys.items() if key in order.keys}
        if wanted:
            scores += _answers(cell, sides, label, probe_task, wanted)
    return scores


def _answers(
    cell: ScoringJob, sides: Sides, label: str, probe_task: ProbeTask, keys: Mapping[str, str]
) -> Iterator[Score]:
    names = list(keys)
    for name, given in scoring.answers(sides, probe_task, names, components=cell.components):
        yield Score(
            task=cell.plan.task.name,
            label=label,
            embedder=cell.label,
            probe=name,
            seed=probe_task.seed,
            test=given.test,
            valid=given.valid,
            chosen=given.chosen,
            rows={part: len(getattr(probe_task.split, part)) for part in PARTS},
            key=keys[name],
        )
