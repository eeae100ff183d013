"""What a table must hold to be a task, and what is noticed on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from molkd.benchmarks.tasks.kinds import KINDS
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.benchmarks.tasks.task import Labels, Task
from molkd.errors import InputError
from molkd.types import Mask

LEAST_ROWS = 14
"""Labelled rows below which a label is no task: 10 for training and 2 each to choose and score."""

_SHOWN = 5


def checked(task: Task, *, file: str, wanted: Mask | None = None) -> Task:
    """Returns a task without the rows and labels that say nothing, with a note on each finding.

    Left out are items that cannot be read, rows without any label, and, where there are other
    labels, those of a single value or with fewer than `LEAST_ROWS` rows. Items that occur more than
    once stay, and are counted.

    Args:
        task: one row per row of the table.
        file: name of the table, for messages.
        wanted: shape (n,), the rows to take; None takes all.

    Raises:
        InputError: a class is none, a label is infinite, or not positive where logarithms are
            asked; no label is left; or the table's own split has an empty part. Names file and row,
            counted from 0 without the header.
    """
    _check_values(task, file)
    modality = BENCHMARKED[task.modality]
    readable = np.logical_and.reduce([
        [modality.key(item) is not None for item in side] for side in task.sides
    ])  # fmt: skip
    labelled = _labelled(task)
    wanted = np.ones_like(readable) if wanted is None else wanted
    notes = [
        _note(wanted & ~readable, f"{modality.unreadable} were left out"),
        _note(wanted & readable & ~labelled, "rows without a label were left out"),
    ]
    usable = _rows(task, wanted & readable & labelled)
    usable, left_out = _labels(usable, file)
    _check_parts(usable, file)
    notes += [left_out, *_duplicates(usable)]
    return replace(usable, notes=(*task.notes, *filter(None, notes)))


def _check_values(task: Task, file: str) -> None:
    labels, kind = task.labels, KINDS[task.kind]
    wrong, expected = kind.misfits(labels), kind.expected
    if kind.classes is not None:
        expected = f"{expected}, for {task.metric} scores classes"
    elif task.scale == "log10":
        wrong |= labels <= 0
        expected = "positive, for its logarithm is fitted"
    rows, columns = np.nonzero(wrong)
    if len(rows):
        name, value = task.label_names[columns[0]], labels[rows[0], columns[0]]
        raise InputError(
            f"{file}, row {rows[0]} (counted from 0): {name} is {value:g}, must be {expected}"
            f"{_and_others(len(set(rows.tolist())))}; correct it or leave it empty"
        )


def _and_others(count: int) -> str:
    return f", and {count - 1} other rows are wrong" if count > 1 else ""


def _note(rows: Mask, what: str) -> str:
    places = np.flatnonzero(rows)
    if not len(places):
        return ""
    shown = ", ".join(map(str, places[:_SHOWN])) + (", ..." if len(places) > _SHOWN else "")
    return f"{len(places)} {what} (rows {shown}, counted from 0)"


def _labelled(task: Task) -> Mask:
    """Shape (n,): rows with at least one label."""
    return np.asarray((~np.isnan(task.labels)).any(axis=1))


def _rows(task: Task, rows: Mask) -> Task:
    """Keeps some rows of a task."""
    return replace(
        task,
        items=tuple(task.items[row] for row in np.flatnonzero(rows).tolist()),
        others=tuple(task.others[row] for row in np.flatnonzero(rows).tolist() if task.others),
        labels=task.labels[rows],
        test=None if task.test is None else task.test[rows],
        valid=None if task.valid is None else task.valid[rows],
        times=None if task.times is None else task.times[rows],
        subsets={name: mask[rows] for name, mask in task.subsets.items()},
    )


def _labels(task: Task, file: str) -> tuple[Task, str]:
    """Keeps the labels that can be learned, and says which were left out."""
    problems = {
        name: problem
        for name, column in zip(task.label_names, task.labels.T, strict=True)
        if (problem := _problem(task, column))
    }
    columns = [place for place, name in enumerate(task.label_names) if name not in problems]
    reasons = "; ".join(f"{name} {why}" for name, why in list(problems.items())[:_SHOWN])
    reasons += f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    if not columns:
        raise InputError(f"{file} cannot be a task: {reasons}")
    if not problems:
        return task, ""
    names = tuple(task.label_names[place] for place in columns)
    some = replace(task, labels=task.labels[:, columns], label_names=names)
    return _rows(some, _labelled(some)), f"{len(problems)} labels were left out: {reasons}"


def _problem(task: Task, column: Labels) -> str | None:
    values = column[~np.isnan(column)]
    if len(values) < LEAST_ROWS:
        return f"has {len(values)} rows with a label, at least {LEAST_ROWS} are needed"
    if values.min() == values.max():
        what = "one value only" if KINDS[task.kind].classes is None else "one class only"
        return f"has {what} ({values[0]:g})"
    return None


def _check_parts(task: Task, file: str) -> None:
    if task.test is None:
        return
    none = np.zeros(len(task.items), dtype=np.bool_)
    valid = none if task.valid is None else task.valid
    parts = {"test": task.test, "training": ~task.test & ~valid}
    if task.valid is not None:
        parts["validation"] = valid
    words = {"train": "training", "valid": "validation", "test": "test"}
    needed = {words[part] for part in KINDS[task.kind].least}
    for name, rows in parts.items():
        if not rows.any() and name in needed:
            raise InputError(f"{file}: its split leaves no {name} row that can be used")


def _duplicates(task: Task) -> list[str]:
    """Notes on items with several rows; stereoisomers and salts count as different."""
    groups: dict[tuple[str, ...], list[int]] = {}
    sides = [BENCHMARKED[task.modality].keys(side) for side in task.sides]
    for row, key in enumerate(zip(*sides, strict=True)):
        groups.setdefault(key, []).append(row)
    several = [rows for rows in groups.values() if len(rows) > 1]
    if not several:
        return []
    differ = sum(_differ(task.labels[rows]) for rows in several)
    notes = [
        (
            f"{len(several)} {task.modality} occur more than once ({sum(map(len, several))} rows), "
            f"{differ} of them with different labels; all rows were kept"
        )
    ]
    if task.test is not None:
        test = task.test
        across = sum(bool(test[rows].any() and not test[rows].all()) for rows in several)
        if across:
            notes.append(
                f"{across} {task.modality} are in the official test rows and in the others too"
            )
    return notes


def _differ(labels: Labels) -> bool:
    """Whether rows of shape (m, l) hold two different values of a label."""
    return any(len(np.unique(column[~np.isnan(column)])) > 1 for column in labels.T)
