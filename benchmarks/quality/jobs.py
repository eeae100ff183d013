"""The work of one worker process: an embedder on a task, with all probes, labels and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from molkd.benchmarks.embedders import store
from molkd.benchmarks.probes import FLOOR
from molkd.benchmarks.quality import scoring
from molkd.benchmarks.quality.planning import TaskPlan
from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.quality.scoring import Answer
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
        probes: names of probes, or of the measure of the task's kind.
        cache: of the embeddings.
        pending: keys of the scores that are still to be computed.
    """

    plan: TaskPlan
    label: str
    digest: str
    sources: tuple[str, ...]
    components: int | None
    probes: tuple[str, ...]
    cache: Path
    pending: frozenset[str] = frozenset()

    def probe_tasks(self) -> Iterator[tuple[str, ProbeTask, dict[str, str]]]:
        """All probe tasks, with label and probe -> key of the score."""
        with_floor = tuple(dict.fromkeys((*self.probes, FLOOR)))
        abouts = {name: scoring.describe(name) for name in with_floor}
        for label, probe_tasks in self.plan.probe_tasks.items():
            for probe_task in probe_tasks:
                deciding = [probe_task.digest, self.digest]
                names = with_floor if probe_task.folds else self.probes
                yield label, probe_task, {n: digest_of([*deciding, abouts[n]]) for n in names}

    def score_keys(self) -> Iterator[str]:
        """The keys of all its scores."""
        return (key for *_, keys in self.probe_tasks() for key in keys.values())

    def completed(self, scores: Mapping[str, Score]) -> Iterator[Score]:
        """All its scores, from key -> score; what does not decide them is that of this job."""
        for _, probe_task, keys in self.probe_tasks():
            place = {"embedder": self.label, **self.place(probe_task)}
            yield from (replace(scores[key], **place) for key in keys.values())

    def place(self, probe_task: ProbeTask) -> dict[str, Any]:
        """Where a score stands among others: fields of `Score` that its key need not tell."""
        split = probe_task.split
        rows = {part: len(getattr(split, part)) for part in PARTS}
        within = {
            f"test[{name}]": int(mask[split.test].sum())
            for name, mask in probe_task.subsets.items()
        }
        return {
            "split": self.plan.split,
            "labelled": probe_task.labelled,
            "rows": {**rows, **within},
        }


def run(job: ScoringJob) -> list[Score]:
    """Computes the pending scores of a job; what a worker process does."""
    sides = tuple(store.read(job.cache, job.sources, side).values for side in job.plan.task.sides)
    known = _together(job, sides)
    scores: list[Score] = []
    for label, probe_task, keys in job.probe_tasks():
        pending = {name: key for name, key in keys.items() if key in job.pending}
        alone = [name for name, key in pending.items() if key not in known]
        found = {name: known[key] for name, key in pending.items() if key in known}
        if alone:
            found |= dict(scoring.answers(sides, probe_task, alone, components=job.components))
        scores += _scores(job, label, probe_task, {name: found[name] for name in pending}, keys)
    return scores


def _together(job: ScoringJob, sides: Sides) -> dict[str, Answer]:
    """Key -> what a probe says that is asked about all splits of a label at once."""
    asked: dict[tuple[str, str], dict[str, ProbeTask]] = {}
    for label, probe_task, keys in job.probe_tasks():
        for name, key in keys.items():
            if key in job.pending and not probe_task.folds:
                asked.setdefault((label, name), {})[key] = probe_task
    known: dict[str, Answer] = {}
    for (_, name), by_key in asked.items():
        probe_tasks = list(by_key.values())
        found = scoring.together(sides, probe_tasks, name, components=job.components)
        known |= dict(zip(by_key, found, strict=True)) if found else {}
    return known


def _scores(
    job: ScoringJob,
    label: str,
    probe_task: ProbeTask,
    answers: Mapping[str, Answer],
    keys: Mapping[str, str],
) -> Iterator[Score]:
    for name, answer in answers.items():
        yield Score(
            task=job.plan.task.name,
            label=label,
            embedder=job.label,
            probe=name,
            seed=probe_task.seed,
            test=answer.test,
            valid=answer.valid,
            chosen=answer.chosen,
            key=keys[name],
            **job.place(probe_task),
        )
