"""Rows of a task for training, validation and test: by any method, seeded, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast, get_args

import numpy as np

from molkd.benchmarks.tasks.kinds import KINDS
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.benchmarks.tasks.task import SplitName, Task, TaskSplit
from molkd.errors import ConfigError, InputError
from molkd.items import splits
from molkd.runtime.registry import near
from molkd.types import Rows

TEST, VALID = 0.2, 0.1
"""Shares of the rows for test and validation; the rest is for training."""

VALID_OF_REST = VALID / (1 - TEST)
"""Share of validation in what is left of the test rows: one eighth, as in TDC's ADMET group."""

ATTEMPTS, ATTEMPTS_OF_MANY, STEP = 100, 10, 100
"""Seeds tried where a part holds one value of a label only: seed, seed + 100, ..., as the paper;
fewer in a task of many labels, where every draw may fail some rare one."""


def split(task: Task, *, method: SplitName | None = None, seed: int) -> TaskSplit:
    """Splits a task 70/10/20, or as its table says.

    `given` keeps the official test rows; validation is the table's own, or one eighth of the rest
    drawn with the seed, of molecules by scaffold, as TDC does. `random` draws items, `scaffold`
    Bemis-Murcko scaffolds, `cluster` clusters of similar molecules; `time` takes the newest rows
    for test and the next for validation. Unless the split is given, all rows of one item are on one
    side. Where nothing is trained, given test rows need no others, and none are for validation.

    A part that holds a single value of a label says nothing about it. Then seed + 100, + 200 and
    so on are tried, and of all attempts the first is taken that serves most labels. So a task of
    one label always gets both classes in every part; in a task of many, rare labels may fail.

    Args:
        task: what is split.
        method: None splits the task its own way.
        seed: of the draw. It changes `time` in ties alone, and `given` not where the table names
            validation rows.

    Returns:
        Rows of the three parts, disjoint and ascending, together all rows.

    Raises:
        ConfigError: no such method.
        InputError: the table does not allow the method, there are too few molecules, scaffolds or
            clusters, or no attempt serves any label; names the task.
    """
    method = check_method(method or task.split)
    attempts = ATTEMPTS if len(task.label_names) == 1 else ATTEMPTS_OF_MANY
    best, most = None, 0
    for attempt in range(attempts):
        parts = _attempt(task, method, seed + attempt * STEP)
        served = sum(_serves(task, parts))
        if served > most:
            best, most = parts, served
        if most == len(task.label_names):
            break
    if best is None:
        values = "both classes" if KINDS[task.kind].classes == 2 else "two different values"
        raise InputError(
            f"{task.name}: no {method} split of its {len(task.items)} rows has {values} of a label "
            f"in each of {_listed(task)} ({attempts} seeds tried from {seed}): give more rows, "
            "split in another way, or leave the task out"
        )
    return best


def check_method(name: str) -> SplitName:
    """Returns the name of a way to split.

    Raises:
        ConfigError: there is none of this name; the message proposes near ones.
    """
    methods = get_args(SplitName)
    if name not in methods:
        raise ConfigError(
            f"unknown split {name!r}.{near(name, methods)} Splits are {', '.join(methods)}."
        )
    return cast("SplitName", name)


def _serves(task: Task, parts: TaskSplit) -> list[bool]:
    """Of each label: whether every part holds two different values of it."""
    return [
        all(_varies(task, getattr(parts, part), column) for part in KINDS[task.kind].least)
        for column in range(len(task.label_names))
    ]


def _listed(task: Task) -> str:
    words = {"train": "training", "valid": "validation", "test": "test"}
    *first, last = (words[part] for part in KINDS[task.kind].least)
    return f"{', '.join(first)} and {last}" if first else last


def _varies(task: Task, rows: Rows, column: int) -> bool:
    values = task.labels[rows, column]
    values = values[~np.isnan(values)]
    return len(values) > 1 and bool(values.min() < values.max())


def _attempt(task: Task, method: SplitName, seed: int) -> TaskSplit:
    try:
        return _METHODS[method](task, seed)
    except ConfigError as error:
        raise InputError(f"{task.name}, {method} split: {error}") from error


def _given(task: Task, seed: int) -> TaskSplit:
    if task.test is None:
        raise ConfigError("its table names no test rows: choose another split")
    test, rest = np.flatnonzero(task.test), np.flatnonzero(~task.test)
    if task.valid is not None:
        valid = np.flatnonzero(task.valid)
        return TaskSplit(np.setdiff1d(rest, valid), valid, test)
    if "valid" not in KINDS[task.kind].least:
        return TaskSplit(rest, rest[:0], test)
    keys = _keys(task, "given", rest)
    train, valid = splits.random_split(keys, fraction=VALID_OF_REST, seed=seed)
    return TaskSplit(rest[train], rest[valid], test)


def _drawn(keys: Sequence[str], seed: int) -> TaskSplit:
    """Draws test and then validation; rows of equal keys stay together."""
    rest, test = splits.random_split(keys, fraction=TEST, seed=seed)
    inner = [keys[int(row)] for row in rest]
    train, valid = splits.random_split(inner, fraction=VALID_OF_REST, seed=seed)
    return TaskSplit(rest[train], rest[valid], test)


def _random(task: Task, seed: int) -> TaskSplit:
    return _drawn(_keys(task, "random"), seed)


def _scaffold(task: Task, seed: int) -> TaskSplit:
    return _drawn(_keys(task, "scaffold"), seed)


def _cluster(task: Task, seed: int) -> TaskSplit:
    return _drawn(_keys(task, "cluster"), seed)


def _time(task: Task, seed: int) -> TaskSplit:
    if task.times is None:
        raise ConfigError("its table has no times: name a column of years or dates")
    keys, times = _keys(task, "time"), task.times
    rest, test = splits.time_split(keys, times, fraction=TEST, seed=seed)
    inner = [keys[int(row)] for row in rest]
    train, valid = splits.time_split(inner, times[rest], fraction=VALID_OF_REST, seed=seed)
    return TaskSplit(rest[train], rest[valid], test)


def _keys(task: Task, method: SplitName, rows: Rows | None = None) -> list[str]:
    """What stays together, one key per row of the task, or of the rows given."""
    groups = BENCHMARKED[task.modality].groups
    if method not in groups:
        raise ConfigError(f"{task.modality} can be split by {', '.join(groups)}")
    chosen = range(len(task.items)) if rows is None else rows.tolist()
    sides = [groups[method]([side[row] for row in chosen]) for side in task.sides]
    return ["\n".join(keys) for keys in zip(*sides, strict=True)]


_METHODS: Mapping[SplitName, Callable[[Task, int], TaskSplit]] = {
    "given": _given,
    "random": _random,
    "scaffold": _scaffold,
    "cluster": _cluster,
    "time": _time,
}
