"""Quality: every embedder on every task with every probe and seed; resumable, in parallel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from molkd.benchmarks import probes, records
from molkd.benchmarks.embedders import Embedder, store
from molkd.benchmarks.embedders.sources import sources_of
from molkd.benchmarks.quality import jobs, scoring
from molkd.benchmarks.quality.jobs import ScoringJob
from molkd.benchmarks.quality.learning_curves import LearningCurve
from molkd.benchmarks.quality.planning import TaskPlan, plan_all
from molkd.benchmarks.records import (
    EmbedderRecord,
    Part,
    Results,
    Run,
    Score,
    TaskRecord,
    recipe_of,
)
from molkd.benchmarks.statistics.across_runs import recipes
from molkd.benchmarks.tasks import splitting
from molkd.benchmarks.tasks.task import Item, SplitName, Task
from molkd.errors import ConfigError, InputError
from molkd.runtime import files, locks, versions
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress
from molkd.runtime.registry import near
from molkd.types import Mask, digest_of

RESULTS, PARTIAL = "results.jsonl", "results.partial.jsonl"

_AHEAD = 16
"""Jobs per process that are taken at once: principal components last a hundred times longer."""

_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "rdkit")


@dataclass(frozen=True, kw_only=True)
class QualitySettings:
    """What is asked of each embedder on each task.

    Attributes:
        probes: names of probes.
        seeds: number of seeds; of splits and probes.
        first_seed: the first of them; the others follow it.
        splits: how all tasks are split, one way after the other; empty leaves each its own way.
        labelled: of learning curves, numbers of labelled rows; empty for no curve.
        draws: of learning curves, draws of labelled rows.
        only: probe -> labels of the embedders that it asks, of training runs the recipe; a probe
            that is not named asks all.
        part: rows whose scores are reported; both are computed.
    """

    probes: tuple[str, ...] = ("linear",)
    seeds: int = 5
    first_seed: int = 0
    splits: tuple[SplitName, ...] = ()
    labelled: tuple[int, ...] = ()
    draws: int = 10
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    part: Part = "test"

    def __post_init__(self) -> None:
        for method in self.splits:
            splitting.check_method(method)
        if self.labelled:
            _ = self.curve  # refuses numbers that make no sense
        if self.seeds < 1:
            raise ConfigError(f"seeds must be at least 1, not {self.seeds}")
        if not self.probes:
            raise ConfigError(f"name at least one probe of {', '.join(probes.PROBES)}")
        strange = [name for name in self.only if name not in self.probes]
        if strange:
            raise ConfigError(f"only: {', '.join(strange)} is none of {', '.join(self.probes)}")

    def probes_of(self, label: str) -> tuple[str, ...]:
        """Returns the probes that ask an embedder."""
        recipe = recipe_of(label)
        return tuple(name for name in self.probes if recipe in self.only.get(name, (recipe,)))

    @property
    def curve(self) -> LearningCurve | None:
        """What is asked of few labels; None for nothing."""
        draws = range(self.first_seed, self.first_seed + self.draws)
        return LearningCurve(labelled=self.labelled, draws=draws) if self.labelled else None


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where a benchmark works.

    Attributes:
        folder: of the results.
        cache: of embeddings, shared by all benchmarks.
        jobs: worker processes.
        progress: whether to show progress.
    """

    folder: Path
    cache: Path
    jobs: int = 1
    progress: bool = True


def evaluate(
    tasks: Sequence[Task],
    embedders: Sequence[Embedder],
    settings: QualitySettings,
    space: Workspace,
    *,
    excluded: Mapping[str, Mask] | None = None,
    leakage: Mapping[str, Mapping[str, int]] | None = None,
    absent: Sequence[str] = (),
) -> Results:
    """Probes all embedders and writes `results.jsonl`; run again after a kill, it goes on.

    All embedders of a run are scored on the rows that every one of them could embed. A label with
    a single class in a part of a split, with constant labels, or with too few rows is left out,
    with a note in the record of its task. Scores of an earlier run in the same folder are taken
    over where nothing that decides them has changed.

    Args:
        tasks: what is asked.
        embedders: what is compared.
        settings: how it is asked.
        space: where to work.
        excluded: task -> shape (n,): test rows that are not scored, such as leaked ones.
        leakage: for the record; see `leakage.count`.
        absent: for the record; tasks that were left out, see `tasks.present`.

    Raises:
        ConfigError: an embedder reads other items than a task holds, `only` names none of the
            embedders, or training runs do not fit together.
        InputError: nothing can be compared.
        OutputError: the folder or the cache cannot be written.
    """
    for name in settings.probes:
        probes.make(name)  # a wrong name fails before any work is done
    _refuse_strangers(tasks, embedders)
    labels = recipes(embedder.label for embedder in embedders)
    for label in (label for chosen in settings.only.values() for label in chosen):
        if label not in labels:
            raise ConfigError(f"only: no embedder {label!r} is compared{near(label, labels)}")
    items = list(dict.fromkeys(item for task in tasks for side in task.sides for item in side))
    for embedder in embedders:
        embedder.fill(items, cache=space.cache, jobs=space.jobs, progress=space.progress)
    embedder_records, alive = _embedder_records(embedders, items, space.cache)
    plans = plan_all(
        tasks,
        lambda task: np.all([[alive[item] for item in side] for side in task.sides], axis=0),
        methods=settings.splits,
        seeds=range(settings.first_seed, settings.first_seed + settings.seeds),
        curve=settings.curve,
        excluded=excluded or {},
        jobs=space.jobs,
    )
    if not any(plan.probe_tasks for plan in plans):
        reasons = "; ".join(f"{plan.task.name}: {note}" for plan in plans for note in plan.notes)
        raise InputError(f"no task can be evaluated: {reasons}")
    with locks.held(space.folder):
        scores = tuple(_scores(_jobs(plans, embedders, settings, space), space))
        asked = sorted({score.probe for score in scores})
        run = Run(
            settings=asdict(settings),
            versions=versions.installed(_PACKAGES),
            leakage=leakage or {},
            absent=tuple(absent),
            probe_digests={name: digest_of(scoring.describe(name)) for name in asked},
        )
        results = Results(run, tuple(map(_task_record, plans)), embedder_records, scores)
        records.write(space.folder / RESULTS, results)
        (space.folder / PARTIAL).unlink(missing_ok=True)
    return results


def _refuse_strangers(tasks: Sequence[Task], embedders: Sequence[Embedder]) -> None:
    for embedder in embedders:
        strange = next((task for task in tasks if task.modality != embedder.modality), None)
        if strange is not None:
            raise ConfigError(
                f"{embedder.label} reads {embedder.modality}, but the task {strange.name} holds "
                f"{strange.modality}: leave one of them out"
            )


def _embedder_records(
    embedders: Sequence[Embedder], items: Sequence[Item], cache: Path
) -> tuple[tuple[EmbedderRecord, ...], dict[Item, bool]]:
    """What each embedder is, and item -> whether all of them could embed it."""
    alive = np.ones(len(items), dtype=np.bool_)
    embedder_records: list[EmbedderRecord] = []
    for embedder in embedders:
        embedded = store.read(cache, embedder.digests, items)
        alive &= embedded.valid
        embedder_records.append(
            EmbedderRecord(
                label=embedder.label,
                spec=embedder.spec,
                role=embedder.role,
                digest=embedder.digest,
                dim=embedder.components or embedded.values.shape[1],
                parameters=embedder.parameters,
                failed=len(embedded.failures),
                sources=sources_of(embedder.spec),
            )
        )
    return tuple(embedder_records), dict(zip(items, alive.tolist(), strict=True))


def _jobs(
    plans: Sequence[TaskPlan],
    embedders: Sequence[Embedder],
    settings: QualitySettings,
    space: Workspace,
) -> list[ScoringJob]:
    """All work, the largest tasks first, so that no worker waits for one at the end."""
    return [
        ScoringJob(
            plan,
            embedder.label,
            embedder.digest,
            embedder.digests,
            embedder.components,
            scoring.probes_for(plan.task.kind, settings.probes_of(embedder.label)),
            space.cache,
        )
        for plan in sorted(plans, key=lambda plan: -len(plan.task.items))
        for embedder in embedders
    ]


def _scores(every: Sequence[ScoringJob], space: Workspace) -> list[Score]:
    """All scores: those of an earlier run where nothing changed, the others computed."""
    scores = _earlier(space.folder)
    keys = [key for job in every for key in job.score_keys()]
    pending = [replace(job, pending=frozenset(job.score_keys()) - scores.keys()) for job in every]
    pending = [job for job in pending if job.pending]
    known = sum(key in scores for key in keys)
    partial = space.folder / PARTIAL
    files.write_bytes(partial, "".join(map(records.line, scores.values())).encode())
    with (
        files.explained(partial),
        partial.open("a", encoding="utf-8") as stream,
        Progress("probes", len(keys), unit="fits", initial=known, shown=space.progress) as bar,
    ):
        processes = min(space.jobs, len(pending))
        for computed in ordered_map(jobs.run, pending, jobs=processes, prefetch=_AHEAD):
            stream.writelines(map(records.line, computed))
            stream.flush()
            scores |= {score.key: score for score in computed}
            bar.update(len(computed))
    return [score for job in every for score in job.completed(scores)]


def _earlier(folder: Path) -> dict[str, Score]:
    """Scores of a finished and of an interrupted run in the folder; a cut line is dropped."""
    scores: dict[str, Score] = {}
    for path in (folder / RESULTS, folder / PARTIAL):
        if path.is_file():
            scores |= records.scores_of(files.lines(path, errors="replace"))
    return scores


def _task_record(plan: TaskPlan) -> TaskRecord:
    task = plan.task
    return TaskRecord(
        name=task.name,
        group=task.group,
        kind=task.kind,
        metric=task.metric,
        reads=task.modality,
        comparable=task.comparable,
        split=plan.split,
        labels=tuple(plan.probe_tasks),
        items=len(task.items),
        compared=int(plan.compared.sum()),
        digest=task.digest,
        notes=plan.notes,
    )
