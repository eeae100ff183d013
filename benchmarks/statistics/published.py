"""Figures that others have published: they stand beside ours and never enter our ranks."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from molkd.benchmarks.tasks import GROUPS
from molkd.benchmarks.tasks.metrics import METRICS
from molkd.errors import InputError, UnknownNameError


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One published figure.

    Attributes:
        source: model and where it was published.
        group: the benchmark of ours whose tasks it is about.
        task: name of the task, as ours.
        metric: a key of `metrics.METRICS`.
        value: in the unit of the metric.
        sd: standard deviation over runs; None where none was published.
        note: what one must know to read it beside ours; the same for many figures of a source.
    """

    source: str
    group: str
    task: str
    metric: str
    value: float
    sd: float | None
    note: str


def read(folder: Path) -> list[Published]:
    """Reads the tables of published figures in a folder: every key of `FILES` that is there.

    Figures of tasks that are not among ours are left out.

    Raises:
        InputError: none of the tables is there, or one lacks a column, names an unknown metric or
            holds something that is no number (names the line).
    """
    paths = [folder / name for name in FILES if (folder / name).is_file()]
    if not paths:
        raise InputError(f"no published figures in {folder}: it holds none of {', '.join(FILES)}")
    return [figure for path in paths for figure in FILES[path.name](path)]


def _admet(path: Path) -> Iterator[Published]:
    """One row per task, one column per source."""
    names = _tasks("tdc-admet")
    for line, row in _rows(path, ("task", "metric")):
        for column, text in row.items():
            if column in {"task", "metric"} or not text or row["task"].lower() not in names:
                continue
            source, note = _ADMET_SOURCES.get(column, (column, ""))
            yield Published(
                source=source,
                group="tdc-admet",
                task=names[row["task"].lower()],
                metric=_metric(row["metric"], path, line),
                value=_number(text, path, line),
                sd=None,
                note=f"{note}{_ADMET_NOTE}",
            )


def _paper(path: Path) -> Iterator[Published]:
    """One row per model and task."""
    names = _tasks("tdc-single")
    for line, row in _rows(path, ("model", "task", "metric", "mean", "std")):
        if row["task"].lower() not in names:
            continue
        yield Published(
            source=f"{row['model']} (Formont et al. 2025)",
            group="tdc-single",
            task=names[row["task"].lower()],
            metric=_metric(row["metric"], path, line),
            value=_number(row["mean"], path, line),
            sd=_number(row["std"], path, line) if row["std"] else None,
            note=f"{_PAPER_MODELS.get(row['model'], '')}{_PAPER_NOTE}",
        )


FILES: Mapping[str, Callable[[Path], Iterator[Published]]] = {
    "tdc-admet-published.csv": _admet,
    "paper-molecular-results.csv": _paper,
}
"""Name of a table of published figures -> its reader."""

_ADMET_NOTE = "The group's own test rows; fitted in its authors' way, not by a probe of ours."

_ADMET_SOURCES: Mapping[str, tuple[str, str]] = {
    "tdc_best_2024_06": (
        "TDC leaderboards, June 2024",
        "The best entry of each task: another model for each, chosen by its test score. ",
    ),
    "mole": ("MolE", ""),
    "minimol": ("MiniMol", ""),
}
"""Column -> name of the source, and what holds for it alone."""

_PAPER_NOTE = (
    "Random split 70/10/20 with seeds 0 to 4, probe with 128 hidden units, SMILES without "
    "stereochemistry, so that stereoisomers may be trained and tested on. Embeddings were "
    "standardised over all rows, test rows included; the probe's last epoch counts, not its best "
    "one, and its start was not seeded; only half-life and clearance were fitted in logarithms. "
    "One training run per model: the sd is of split and probe."
)

_PAPER_MODELS: Mapping[str, str] = {
    "ChemBertMLM-10M": "Its embedding is the vector of vocabulary logits, not a hidden state. ",
    "FRAD_QM9": "It was given heavy atoms alone; models of its kind are trained with hydrogens. ",
    "L2": (
        "Its targets were not standardised, its heads were shallower and its training was shorter "
        "(40 epochs) than the students', so that it differs from them by more than the loss. "
    ),
    "Cosine": (
        "Its heads were shallower and its training was shorter (120 epochs) than the students', so "
        "that it differs from them by more than the loss. "
    ),
    "sgl3d": "Its files name the same checkpoint as those of sglBert. ",
    "sglBert": "Its files name the same checkpoint as those of sgl3d. ",
}
"""Model -> what holds for it alone, as far as code and released results show."""


def _tasks(group: str) -> dict[str, str]:
    """Name within the group -> name of the task."""
    return {entry.short: entry.name for entry in GROUPS[group]}


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and fields of each row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream, strict=True)
            missing = [name for name in columns if name not in (table.fieldnames or ())]
            if missing:
                raise InputError(f"{path} has no column {', '.join(missing)}")
            for row in table:
                if None in row or None in row.values():
                    raise InputError(f"{path}, line {table.line_num}: not as many fields as above")
                yield table.line_num, {name: text.strip() for name, text in row.items()}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _metric(text: str, path: Path, line: int) -> str:
    names = {name.lower(): name for name in METRICS}
    try:
        return METRICS[names.get(text.lower(), text)].name
    except UnknownNameError as error:
        raise InputError(f"{path}, line {line}: {error}") from error


def _number(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}, line {line}: {text!r} is no finite number")
    return value
