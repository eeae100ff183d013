"""Tasks on disk as the Massive Text Embedding Benchmark keeps them: a folder, a file per split.

Files are named train, validation (or dev) and test, with anything after a point, hyphen or
underscore: `test.jsonl.gz`, `data/test-00000-of-00001.parquet`. What is asked follows from the
columns, or from `type` in a file `metadata.json`:

- text, label: classification into as many classes as there are labels;
- sentences, labels, both lists: clustering, every row a set of its own; or text and label, with the
  type Clustering;
- sentence1, sentence2, score: similarity.

Source: Muennighoff et al. 2023 (https://arxiv.org/abs/2210.07316). Scores are not those of its
leaderboard: there classifiers see a few rows per class, here all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molkd.benchmarks.tasks import reading, table
from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.task import Task
from molkd.errors import ConfigError, InputError
from molkd.runtime import files
from molkd.runtime.registry import near

METADATA = "metadata.json"

PARTS = {**table.PARTS, "dev": "valid"}
"""What the name of a file begins with -> part."""

TEXT_COLUMNS = ("text", "sentences", "sentence")
LABEL_COLUMNS = ("label", "labels")

Frames = Mapping[str, pd.DataFrame]
"""Part -> its rows."""


def read_all(folder: Path) -> list[Task]:
    """Reads the task of a folder, or those of the folders in it.

    Raises:
        InputError: there is none, or one cannot be read.
        ConfigError: a type that is not known here.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    if _files(folder):
        return [read(folder)]
    inner = [path for path in sorted(folder.iterdir()) if path.is_dir() and _files(path)]
    if not inner:
        raise InputError(
            f"{folder} and the folders in it hold no file named train, validation or test with a "
            f"suffix of {', '.join(reading.SUFFIXES)}"
        )
    return [read(path) for path in inner]


def read(folder: Path) -> Task:
    """Reads the task of a folder; its name is that of the folder.

    Where there is no test file, validation rows are for testing; where there is one file alone,
    rows are split at random, or all are for testing where nothing is trained.

    Raises:
        InputError: a file cannot be read, or its columns are not those of a task.
        ConfigError: a type that is not known here.
    """
    frames = {part: _joined(paths) for part, paths in _files(folder).items()}
    if "test" not in frames and len(frames) > 1:
        frames["test"] = frames.pop("valid")
    task = _READERS[_kind_of(folder, frames)](folder, frames)
    return checked(task, file=str(folder))


def _files(folder: Path) -> dict[str, list[Path]]:
    """Part -> its files, in the order of their names."""
    parts: dict[str, list[Path]] = {}
    inner = folder / "data"
    for path in sorted([*folder.iterdir(), *(inner.iterdir() if inner.is_dir() else ())]):
        part = PARTS.get(re.split(r"[-_.]", path.name.lower())[0])
        if part and path.is_file() and reading.has_format(path):
            parts.setdefault(part, []).append(path)
    return parts


def _joined(paths: Sequence[Path]) -> pd.DataFrame:
    return pd.concat([reading.load(path) for path in paths], ignore_index=True)


def _kind_of(folder: Path, frames: Frames) -> str:
    """A key of `_READERS`: what the metadata say, or else the columns."""
    path = folder / METADATA
    if path.is_file():
        kind = files.read_json(path).get("type")
        if kind is not None:
            if str(kind).lower() not in _READERS:
                raise ConfigError(
                    f"{path}: tasks of type {kind!r} are not known.{near(str(kind), _TYPES)} "
                    f"Types are {', '.join(_TYPES)}."
                )
            return str(kind).lower()
    frame = next(iter(frames.values()))
    if {"sentence1", "sentence2", "score"} <= set(frame.columns):
        return "sts"
    column = _column(folder, frame, TEXT_COLUMNS)
    return "clustering" if _is_list(frame[column].iloc[0]) else "classification"


def _classification(folder: Path, frames: Frames) -> Task:
    parts = np.repeat(list(frames), [len(frame) for frame in frames.values()])
    texts, labels = _texts_and_labels(folder, pd.concat(list(frames.values()), ignore_index=True))
    given = len(frames) > 1
    return Task(
        name=folder.name.lower(),
        group="mteb",
        kind="multiclass",
        metric="Accuracy",
        items=tuple(texts),
        labels=reading.classes(labels)[:, np.newaxis],
        modality="texts",
        split="given" if given else "random",
        test=parts == "test" if given else None,
        valid=parts == "valid" if given and "valid" in frames else None,
        source=str(folder),
    )


def _clustering(folder: Path, frames: Frames) -> Task:
    frame = _scored(frames)
    texts, labels = _texts_and_labels(folder, frame)
    sizes = [len(texts)]
    if len(texts) and _is_list(texts[0]):
        sizes = [len(each) for each in texts]
        if sizes != [len(each) for each in labels]:
            raise InputError(f"{folder}: a set has other numbers of sentences and of labels")
        texts = [text for each in texts for text in each]
        labels = [label for each in labels for label in each]
    y = np.full((len(texts), len(sizes)), np.nan)
    column = np.repeat(np.arange(len(sizes)), sizes)
    y[np.arange(len(texts)), column] = reading.classes(labels)
    return Task(
        name=folder.name.lower(),
        group="mteb",
        kind="clustering",
        metric="V-measure",
        items=tuple(map(_text, texts)),
        labels=y,
        label_names=tuple(f"set {n}" for n in range(1, len(sizes) + 1)) if len(sizes) > 1 else _ONE,
        modality="texts",
        split="given",
        test=np.ones(len(texts), dtype=np.bool_),
        source=str(folder),
    )


def _similarity(folder: Path, frames: Frames) -> Task:
    frame = _scored(frames)
    first, second = (reading.strings(frame, f"sentence{side}", folder) for side in (1, 2))
    return Task(
        name=folder.name.lower(),
        group="mteb",
        kind="similarity",
        metric="Spearman",
        items=tuple(first),
        others=tuple(second),
        labels=reading.numbers(frame, "score", folder)[:, np.newaxis],
        modality="texts",
        split="given",
        test=np.ones(len(frame), dtype=np.bool_),
        source=str(folder),
    )


_ONE = ("y",)
_TYPES = ("Classification", "Clustering", "STS")
_READERS: Mapping[str, Callable[[Path, Frames], Task]] = {
    "classification": _classification,
    "clustering": _clustering,
    "sts": _similarity,
}


def _scored(frames: Frames) -> pd.DataFrame:
    """The rows that are asked for where nothing is trained."""
    return next(frames[part] for part in ("test", "valid", "train") if part in frames)


def _texts_and_labels(folder: Path, frame: pd.DataFrame) -> tuple[list[Any], list[Any]]:
    texts = frame[_column(folder, frame, TEXT_COLUMNS)].tolist()
    labels = frame[_column(folder, frame, LABEL_COLUMNS)].tolist()
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if _is_list(text) != _is_list(label) or _is_list(text) != _is_list(texts[0]):
            raise InputError(
                f"{folder}, row {row} (counted from 0): a text needs one label, a list of "
                "sentences a list of as many labels"
            )
    return (texts if texts and _is_list(texts[0]) else list(map(_text, texts))), labels


def _column(folder: Path, frame: pd.DataFrame, wanted: Sequence[str]) -> str:
    found = [name for name in wanted if name in frame.columns]
    if len(found) != 1:
        what = "several columns" if found else "no column"
        raise InputError(
            f"{folder} has {what} among {', '.join(wanted)}. {reading.listed(list(frame.columns))}"
        )
    return found[0]


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
