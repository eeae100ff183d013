"""Any table of the user's own as a task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from molkd.benchmarks.tasks import reading
from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.metrics import METRICS
from molkd.benchmarks.tasks.task import Labels, LabelScale, SplitName, Task
from molkd.errors import ConfigError, InputError
from molkd.formats import readers
from molkd.formats.columns import NO_IDS, OTHERS, Columns
from molkd.items.molecules.modality import SMILES
from molkd.items.molecules.standardization import standardize_all

_SHOWN = 5

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
        path: one molecule per row, in any format that `molkd embed` reads, of an SD file the
            properties.
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
    others = [name for name in (split_column, time_column) if name is not None]
    keep = tuple(dict.fromkeys([*label_columns, *others])) if label_columns else (OTHERS,)
    items, frame, unread = _read(path, Columns(smiles_column, id=NO_IDS, keep=keep))
    columns = list(dict.fromkeys(label_columns or [_label_column(frame, path)]))
    parts = times = None
    if split_column is not None:
        parts = _parts(reading.texts(frame, split_column, path), path, unread)
    if time_column is not None:
        times = _times(reading.texts(frame, time_column, path), time_column, path, unread)
    split: SplitName = "scaffold"
    if parts is not None:
        split = "given"
    elif times is not None:
        split = "time"
    task = Task(
        name=name or path.name.partition(".")[0].lower(),
        group="own",
        kind=kind,
        metric=metric,
        items=items,
        labels=np.stack([reading.numbers(frame, column, path) for column in columns], axis=1),
        label_names=tuple(columns),
        scale=scale,
        split=split,
        test=None if parts is None else parts == "test",
        valid=parts == "valid" if parts is not None and (parts == "valid").any() else None,
        times=times,
        source=str(path),
        notes=tuple(f"row {row}: {why}" for row, why in list(unread.items())[:_SHOWN]),
    )
    try:
        return checked(task, file=str(path))
    except InputError as error:
        raise InputError("; ".join([str(error), *task.notes])) from error


def _read(path: Path, columns: Columns) -> tuple[tuple[str, ...], pd.DataFrame, dict[int, str]]:
    """SMILES, "" where there is none; other columns as text; row -> why it cannot be read."""
    items, unread, frames = list[str](), dict[int, str](), list[pd.DataFrame]()
    for chunk in readers.read(path, columns):
        texts = [item if isinstance(item, str) else "" for item in chunk.readable]
        if not any(texts):  # those of an SD file are molecules
            texts, _ = standardize_all(chunk.readable, "none")
        items += ["" if text in SMILES.missing else text for text in texts]
        frames.append(pd.DataFrame(dict(chunk.kept), index=range(len(chunk)), dtype=object))
        unread |= {chunk.row0 + row: why for row, why in chunk.failures.items()}
    frame = pd.concat(frames, ignore_index=True)
    frame.iloc[list(unread)] = None
    return tuple(items), frame, unread


def _label_column(frame: pd.DataFrame, path: Path) -> str:
    names = list(frame.columns)
    labels = [name for name in names if name.lower() in LABEL_NAMES]
    if len(labels) != 1:
        what = "several columns" if labels else "no column"
        raise InputError(
            f"{path} has {what} with a usual name for a label: choose with --label-column. "
            f"{reading.listed(names)}"
        )
    return labels[0]


def _parts(values: Sequence[str], path: Path, unread: Container[int]) -> npt.NDArray[np.str_]:
    for row, value in enumerate(values):
        if value.lower() not in PARTS and row not in unread:
            raise InputError(
                f"{path}, row {row} (counted from 0): the split is {value!r}, must be one of "
                f"{', '.join(PARTS)}"
            )
    return np.array([PARTS.get(value.lower(), "") for value in values])


def _times(texts: Sequence[str], column: str, path: Path, unread: Container[int]) -> Labels:
    """Years and fractions of years, shape (n,)."""
    return np.array(
        [
            np.nan if row in unread else _time(text, row, column, path)
            for row, text in enumerate(texts)
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
