"""Any table of the user's own as a task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from molkd.benchmarks.tasks import reading
from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.metrics import METRICS
from molkd.benchmarks.tasks.task import Labels, LabelScale, SplitName, Task
from molkd.errors import ConfigError, InputError

LABEL_NAMES = {"y", "label", "labels", "target", "class", "activity"}
"""Columns, in lower case, that hold the label unless another one is named."""

PARTS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
}
"""What a column of the split may say, in lower case -> part."""


def read(
    path: Path,
    *,
    smiles_column: str | None = None,
    label_columns: Sequence[str] | None = None,
    metric: str,
    split_column: str | None = None,
    time_column: str | None = None,
    scale: LabelScale = "linear",
    name: str | None = None,
) -> Task:
    """Reads a user's table as a task; see `checks.checked` for what is left out and noted.

    Args:
        path: CSV, TSV or Parquet with one molecule per row, compressed or not.
        smiles_column: None takes the one with a usual name: smiles, canonical_smiles, drug.
        label_columns: one, or several for a task of many labels; an empty field is a missing
            label. None takes the one with a usual name: y, label, target, class, activity.
        metric: a key of `metrics.METRICS`; it says whether labels are classes 0 and 1 or values.
        split_column: train, valid and test, or only train and test; the task is then split so.
        time_column: years or ISO dates, for a split by time, by default where no split is given.
        scale: "log10" where probes are fitted to decadic logarithms.
        name: of the task; by default the file's.

    Returns:
        A task of the group "own". Without split or time column it is split by scaffold.

    Raises:
        UnknownNameError: no such metric.
        ConfigError: the file's suffix names no format of tables, or a scale is asked of classes.
        InputError: the file cannot be read, a column is missing or ambiguous (lists those there
            are), or a field makes no sense (names its row).
    """
    kind = METRICS[metric].kind
    if scale == "log10" and kind == "classification":
        raise ConfigError(f"{metric} scores classes, which have no logarithm: leave out the scale")
    frame = reading.load(path)
    columns = list(dict.fromkeys(label_columns or [_label_column(frame, smiles_column, path)]))
    parts = None if split_column is None else _parts(reading.texts(frame, split_column, path), path)
    split: SplitName = "scaffold"
    if parts is not None:
        split = "given"
    elif time_column is not None:
        split = "time"
    task = Task(
        name=name or path.name.partition(".")[0].lower(),
        group="own",
        kind=kind,
        metric=metric,
        items=reading.smiles(frame, smiles_column, path),
        labels=np.stack([reading.numbers(frame, column, path) for column in columns], axis=1),
        label_names=tuple(columns),
        scale=scale,
        split=split,
        test=None if parts is None else parts == "test",
        valid=parts == "valid" if parts is not None and (parts == "valid").any() else None,
        times=None if time_column is None else _times(frame, time_column, path),
        source=str(path),
    )
    return checked(task, file=str(path))


def _label_column(frame: pd.DataFrame, smiles_column: str | None, path: Path) -> str:
    names = [name for name in frame.columns if name != smiles_column]
    labels = [name for name in names if name.lower() in LABEL_NAMES]
    if len(labels) != 1:
        what = "several columns" if labels else "no column"
        raise InputError(
            f"{path} has {what} with a usual name for a label: choose with --label-column. "
            f"{reading.listed(names)}"
        )
    return labels[0]


def _parts(values: Sequence[str], path: Path) -> npt.NDArray[np.str_]:
    for row, value in enumerate(values):
        if value.lower() not in PARTS:
            raise InputError(
                f"{path}, row {row} (counted from 0): the split is {value!r}, must be one of "
                f"{', '.join(PARTS)}"
            )
    return np.array([PARTS[value.lower()] for value in values])


def _times(frame: pd.DataFrame, column: str, path: Path) -> Labels:
    """Years and fractions of years, shape (n,)."""
    return np.array(
        [
            _time(text, row, column, path)
            for row, text in enumerate(reading.texts(frame, column, path))
        ]
    )


def _time(text: str, row: int, column: str, path: Path) -> float:
    try:
        year = text.removesuffix(".0")
        if year.isdecimal() and len(year) <= 4:
            return float(year)
        date = dt.datetime.fromisoformat(text).date()
    except ValueError:
        raise InputError(
            f"{path}, row {row} (counted from 0): {column} is {text!r}, must be a year or a date "
            "such as 2024-05-31; leave out rows without a date"
        ) from None
    first = dt.date(date.year, 1, 1)
    return date.year + (date - first).days / 366
