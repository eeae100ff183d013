"""What is asked of every embedder: tasks split, rows that all can embed, labels left out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from molkd.benchmarks.quality import learning_curves
from molkd.benchmarks.quality.learning_curves import LearningCurve
from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.tasks import splitting
from molkd.benchmarks.tasks.kinds import KINDS
from molkd.benchmarks.tasks.task import SplitName, Task, TaskSplit
from molkd.errors import InputError
from molkd.runtime.processes import ordered_map
from molkd.types import Mask, digest_of


@dataclass(frozen=True, slots=True, eq=False)
class TaskPlan:
    """A task under one split, with all that is decided before an embedder is probed.

    Attributes:
        task: the task.
        split: how its rows are split.
        compared: shape (n,): rows that every embedder could embed.
        probe_tasks: label -> one per seed, then those of the learning curve; empty where the task
            is left out.
        notes: of the task, and why labels or all of it were left out.
    """

    task: Task
    split: SplitName
    compared: Mask
    probe_tasks: Mapping[str, Sequence[ProbeTask]]
    notes: tuple[str, ...]


def plan_all(
    tasks: Sequence[Task],
    compared: Callable[[Task], Mask],
    *,
    methods: Sequence[SplitName],
    seeds: Sequence[int],
    excluded: Mapping[str, Mask],
    jobs: int,
    curve: LearningCurve | None = None,
) -> list[TaskPlan]:
    """Splits all tasks in all ways and decides which rows and labels are asked.

    Args:
        tasks: what is asked.
        compared: task -> shape (n,): rows that every embedder could embed.
        methods: how each task is split, one way after the other; none of them leaves it its own.
        seeds: of the splits, and of the probes that are fitted to them.
        excluded: task -> shape (n,): test rows that are not scored.
        jobs: worker processes.
        curve: what is asked of few labels, under the split of the first seed; None for nothing.
    """
    pairs: list[tuple[Task, SplitName]] = [
        (task, way) for task in tasks for way in _ways(task, methods)
    ]
    work = functools.partial(_splits, seeds=seeds)
    plans: list[TaskPlan] = []
    for (task, way), splits in zip(
        pairs, ordered_map(work, pairs, jobs=min(jobs, len(pairs))), strict=True
    ):
        usable = compared(task)
        probe_tasks, notes = {}, [splits] if isinstance(splits, str) else []
        if not isinstance(splits, str):
            scored = usable & ~excluded.get(task.name, np.zeros_like(usable))
            probe_tasks, notes = _plan(task, usable, scored, splits, curve)
        which = f"{way} split: " if len(methods) > 1 else ""
        own = [f"{which}{note}" for note in notes]
        plans.append(TaskPlan(task, way, usable, probe_tasks, (*task.notes, *own)))
    return plans


def _ways(task: Task, methods: Sequence[SplitName]) -> list[SplitName]:
    """How a task is split, each way once."""
    return list(dict.fromkeys(methods)) or [task.split]


def _splits(pair: tuple[Task, SplitName], *, seeds: Sequence[int]) -> dict[int, TaskSplit] | str:
    """Seed -> split of a task, or why it cannot be split."""
    task, method = pair
    try:
        return {seed: splitting.split(task, method=method, seed=seed) for seed in seeds}
    except InputError as error:
        return f"left out: {error}"


def _plan(
    task: Task,
    compared: Mask,
    scored: Mask,
    splits: Mapping[int, TaskSplit],
    curve: LearningCurve | None,
) -> tuple[dict[str, list[ProbeTask]], list[str]]:
    """What is asked of each label that can be, and notes on what cannot."""
    probe_tasks: dict[str, list[ProbeTask]] = {}
    notes: list[str] = []
    digest = task.digest
    for column, label in enumerate(task.label_names):
        labelled = np.isfinite(task.labels[:, column])
        per_seed = [
            _probe_task(
                task,
                column,
                _restricted(split, compared & labelled, scored & labelled),
                seed,
                digest,
            )
            for seed, split in splits.items()
        ]
        problem = next(filter(None, (_problem(each, task.modality) for each in per_seed)), None)
        if problem:
            notes.append(f"{label} left out: {problem}")
        else:
            probe_tasks[label] = per_seed
            if curve and KINDS[task.kind].measure is None:
                few, missing = _few_labels(per_seed[0], curve)
                probe_tasks[label] += few
                notes += [f"{label}: {note}" for note in missing]
    return probe_tasks, notes


def _few_labels(whole: ProbeTask, curve: LearningCurve) -> tuple[list[ProbeTask], list[str]]:
    """The probe tasks of a learning curve, and which numbers of labels it lacks, and why."""
    pool = np.sort(np.concatenate([whole.split.train, whole.split.valid]))
    found: dict[int, list[ProbeTask]] = {count: [] for count in curve.labelled}
    for draw, count, rows in curve.rows(whole.y, pool, whole.kind):
        train, folds = np.sort(rows), learning_curves.folds(whole.y, rows, whole.kind)
        deciding = [whole.digest, draw, train.tolist(), [fold.tolist() for fold in folds]]
        found[count].append(
            replace(
                whole,
                split=TaskSplit(train, train[:0], whole.split.test),
                seed=draw,
                folds=folds,
                digest=digest_of(deciding),
            )
        )
    whole_draws = {
        count: each for count, each in found.items() if each and all(one.folds for one in each)
    }
    missing = [
        f"no learning curve with {count:,} labelled rows: "
        + ("those of a draw cannot be told apart" if found[count] else f"there are {len(pool):,}")
        for count in found
        if count not in whole_draws
    ]
    return [one for each in whole_draws.values() for one in each], missing


def _restricted(split: TaskSplit, usable: Mask, scored: Mask) -> TaskSplit:
    train, valid = (rows[usable[rows]] for rows in (split.train, split.valid))
    return TaskSplit(train, valid, split.test[scored[split.test]])


def _probe_task(task: Task, column: int, split: TaskSplit, seed: int, digest: str) -> ProbeTask:
    rows = [part.tolist() for part in (split.train, split.valid, split.test)]
    return ProbeTask(
        y=task.labels[:, column],
        split=split,
        kind=task.kind,
        scale=task.scale,
        seed=seed,
        subsets=task.subsets,
        digest=digest_of([digest, column, rows, seed]),
    )


def _problem(probe_task: ProbeTask, noun: str) -> str | None:
    """Why a label cannot be probed."""
    kind = KINDS[probe_task.kind]
    for name, least in kind.least.items():
        rows = getattr(probe_task.split, name)
        where = f"in the {name} rows of seed {probe_task.seed}"
        if len(rows) < least:
            return f"{len(rows)} {noun} {where}, at least {least} are needed"
        if len(np.unique(probe_task.y[rows])) < 2:
            return f"{kind.single} {where}"
    return None
