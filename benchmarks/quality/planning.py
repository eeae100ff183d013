"""What is asked of every embedder: tasks split, rows that all can embed, labels left out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.tasks import splitting
from molkd.benchmarks.tasks.kinds import KINDS
from molkd.benchmarks.tasks.task import SplitName, Task, TaskSplit
from molkd.errors import InputError
from molkd.runtime.processes import ordered_map
from molkd.types import Mask, digest_of


@dataclass(frozen=True, slots=True, eq=False)
class TaskPlan:
    """A task with all that is decided before an embedder is probed.

    Attributes:
        task: the task.
        compared: shape (n,): rows that every embedder could embed.
        probe_tasks: label -> one per seed; empty where the task is left out.
        notes: of the task, and why labels or all of it were left out.
    """

    task: Task
    compared: Mask
    probe_tasks: Mapping[str, Sequence[ProbeTask]]
    notes: tuple[str, ...]


def plan_all(
    tasks: Sequence[Task],
    compared: Callable[[Task], Mask],
    *,
    method: SplitName | None,
    seeds: Sequence[int],
    excluded: Mapping[str, Mask],
    jobs: int,
) -> list[TaskPlan]:
    """Splits all tasks and decides which rows and labels are asked.

    Args:
        tasks: what is asked.
        compared: task -> shape (n,): rows that every embedder could embed.
        method: how all tasks are split; None leaves each its own way.
        seeds: of the splits, and of the probes that are fitted to them.
        excluded: task -> shape (n,): test rows that are not scored.
        jobs: worker processes.
    """
    work = functools.partial(_splits, method=method, seeds=seeds)
    plans: list[TaskPlan] = []
    for task, splits in zip(
        tasks, ordered_map(work, tasks, jobs=min(jobs, len(tasks))), strict=True
    ):
        if isinstance(splits, str):
            plans.append(TaskPlan(task, compared(task), {}, (*task.notes, splits)))
        else:
            none = np.zeros(len(task.items), dtype=np.bool_)
            plans.append(_plan(task, compared(task), splits, excluded.get(task.name, none)))
    return plans


def _splits(
    task: Task, *, method: SplitName | None, seeds: Sequence[int]
) -> dict[int, TaskSplit] | str:
    """Seed -> split of a task, or why it cannot be split."""
    try:
        return {seed: splitting.split(task, method=method, seed=seed) for seed in seeds}
    except InputError as error:
        return f"left out: {error}"


def _plan(task: Task, compared: Mask, splits: Mapping[int, TaskSplit], excluded: Mask) -> TaskPlan:
    probe_tasks: dict[str, list[ProbeTask]] = {}
    notes = list(task.notes)
    digest = task.digest
    for column, label in enumerate(task.label_names):
        usable = compared & np.isfinite(task.labels[:, column])
        per_seed = [
            _probe_task(task, column, _restricted(split, usable, usable & ~excluded), seed, digest)
            for seed, split in splits.items()
        ]
        problem = next(filter(None, (_problem(each, task.modality) for each in per_seed)), None)
        if problem:
            notes.append(f"{label} left out: {problem}")
        else:
            probe_tasks[label] = per_seed
    return TaskPlan(task, compared, probe_tasks, tuple(notes))


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
