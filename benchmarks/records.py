"""What a benchmark found: records in one file of JSON lines, read again by the reports.

A file holds one record per line, each with its kind under "record": one "run", then "task",
"embedder" and "score" records. While a benchmark runs, lines are appended as they are found; a line
that was cut by a kill is dropped on reading. A finished file is sorted, so that two runs with the
same seed give the same bytes; it therefore holds no times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from molkd.errors import CorruptFileError
from molkd.runtime import files

Role = Literal["student", "teacher", "baseline"]
Part = Literal["test", "valid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was asked for, and with what.

    Attributes:
        settings: options that decide the numbers.
        versions: package -> version.
        leakage: what `leakage.count` found, per task; empty where no corpus was given.
        absent: tasks of the groups asked for that were left out, for their tables were not there.
        probe_digests: probe or measure -> digest of all that decides its numbers; empty in older
            files.
    """

    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    leakage: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    absent: Sequence[str] = ()
    probe_digests: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """A task as it was evaluated, under one split.

    Attributes:
        name: of the task; unique together with the split.
        group: benchmark it belongs to.
        kind: a key of `kinds.KINDS`.
        metric: official metric.
        comparable: metric without unit, for means and tests over tasks.
        split: how rows were split.
        labels: names of its labels.
        items: rows of the table.
        compared: rows that every embedder could embed; all embedders are scored on these.
        digest: of the task.
        notes: what was noticed, in sentences; a task that was left out says why here.
        reads: what its items are: "molecules", "texts" or "images".
    """

    name: str
    group: str
    kind: str
    metric: str
    comparable: str
    split: str
    labels: tuple[str, ...]
    items: int
    compared: int
    digest: str
    notes: tuple[str, ...] = ()
    reads: str = "molecules"

    @property
    def places(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """What its scores are found by: name and split, or in older files the name alone."""
        return (self.name, self.split), (self.name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderRecord:
    """An embedder as it was evaluated.

    Attributes:
        label: its name in tables, unique.
        spec: what it was made from.
        role: "student", "teacher" or "baseline".
        digest: changes whenever its numbers may change.
        dim: width.
        parameters: number of weights; 0 for what has none, None where unknown.
        failed: items of all tasks that it could not embed.
        runs: training runs behind its scores: one per seed in an ablation, or per NAME#SEED.
        sources: models that it was made from, a student's teachers among them; empty in files that
            are older than the field, and for what has none.
    """

    label: str
    spec: str
    role: Role
    digest: str
    dim: int
    parameters: int | None
    failed: int
    runs: int = 1
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One embedder on one label of one task under one split, with one probe and one seed.

    Attributes:
        task: name of the task.
        label: name of the label within the task.
        embedder: label of the embedder.
        probe: name of the probe, or of the measure that takes its place.
        seed: of split and probe; of a learning curve, of the draw of the labelled rows.
        test: metric -> value on the test rows, in the unit of the labels; a subset of the test
            rows has its name in brackets: "RMSE[cliffs]".
        valid: metric -> value on the validation rows; empty where nothing was trained, and in
            learning curves, where each labelled row is for validation in its turn.
        chosen: setting of the probe -> value chosen on the validation rows; empty likewise.
        rows: "train", "valid", "test" -> number of rows; "test[cliffs]" -> those of a subset.
        key: digest of all that decides the numbers.
        split: how rows were split; "" in files of runs that knew one split per task.
        labelled: rows with a label that the probe had for fitting and choosing together, in a
            learning curve; None where it had all.
    """

    task: str
    label: str
    embedder: str
    probe: str
    seed: int
    test: Mapping[str, float]
    valid: Mapping[str, float]
    chosen: Mapping[str, float]
    rows: Mapping[str, int]
    key: str
    split: str = ""
    labelled: int | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Task and split: one of `TaskRecord.places`."""
        return self.task, self.split


@dataclass(frozen=True, slots=True)
class Results:
    """All records of a benchmark."""

    run: Run
    tasks: tuple[TaskRecord, ...]
    embedders: tuple[EmbedderRecord, ...]
    scores: tuple[Score, ...]

    @property
    def noun(self) -> str:
        """What the items of all tasks are called: "molecules"."""
        return noun(task.reads for task in self.tasks)

    @property
    def full(self) -> list[Score]:
        """The scores of probes that had all labels: what is not part of a learning curve."""
        return [score for score in self.scores if score.labelled is None]


def reported(results: Results, part: Part | None = None) -> Results:
    """Returns the same with the scores that are to be seen.

    Args:
        results: as they were read or computed.
        part: None for the rows that the run was for, so that who chooses on validation rows does
            not see test rows by oversight; in older files these are the test rows.
    """
    part = part or results.run.settings.get("part", "test")
    run = replace(results.run, settings={**results.run.settings, "part": part})
    scores = results.scores if part == "test" else _on_validation_rows(results.scores)
    return replace(results, run=run, scores=scores)


def _on_validation_rows(scores: Sequence[Score]) -> tuple[Score, ...]:
    """For choices. Settings of probes were chosen on these rows too: they flatter, all alike."""
    return tuple(
        replace(score, test=score.valid, rows={**score.rows, "test": score.rows["valid"]})
        for score in scores
        if score.valid
    )


def recipe_of(label: str) -> str:
    """Returns what an embedder is a training run of: NAME of "NAME#2", else the label itself."""
    name, _, run = label.rpartition("#")
    return name if name and run.isdecimal() else label


def noun(modalities: Iterable[str]) -> str:
    """Returns what items of several tasks are called; see `TaskRecord.reads`."""
    different = set(modalities)
    return different.pop() if len(different) == 1 else "items"


_KINDS: Mapping[str, type] = {
    "run": Run,
    "task": TaskRecord,
    "embedder": EmbedderRecord,
    "score": Score,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def line(record: Run | TaskRecord | EmbedderRecord | Score) -> str:
    """Returns a record as one line of JSON, with its newline."""
    fields = {"record": _NAMES[type(record)], **asdict(record)}
    return json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n"


def write(path: Path, results: Results) -> None:
    """Writes a finished file, whole or not at all: tasks and embedders in order, scores sorted."""
    order = {record.label: place for place, record in enumerate(results.embedders)}
    places = {name: place for place, task in enumerate(results.tasks) for name in task.places}
    scores = sorted(
        results.scores,
        key=lambda s: (
            *(places[s.place], s.label, order[s.embedder]),
            *(s.labelled or 0, s.probe, s.seed),
        ),
    )
    records = [results.run, *results.tasks, *results.embedders, *scores]
    files.write_bytes(path, "".join(map(line, records)).encode())


def read(path: Path) -> Results:
    """Reads a finished file.

    Raises:
        CorruptFileError: it is missing, cut, or holds no run; the message says what to do.
    """
    try:
        lines = files.lines(path)
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptFileError(f"cannot read {path}: {error}") from error
    records: dict[type, list[Any]] = {kind: [] for kind in _NAMES}
    for number, text in enumerate(lines, start=1):
        record = parse(text)
        if record is None:
            raise CorruptFileError(
                f"{path}, line {number} is no record of a benchmark, or was cut: run the same "
                "command again, it goes on where it stopped"
            )
        records[type(record)].append(record)
    if len(records[Run]) != 1:
        raise CorruptFileError(f"{path} holds {len(records[Run])} records of a run, not one")
    return Results(
        records[Run][0],
        tuple(records[TaskRecord]),
        tuple(records[EmbedderRecord]),
        tuple(records[Score]),
    )


def parse(text: str) -> Run | TaskRecord | EmbedderRecord | Score | None:
    """Reads one line; None where it is cut or no record."""
    try:
        fields = json.loads(text)
        kind = _KINDS[fields.pop("record")]
        lists = {TaskRecord: ("labels", "notes"), EmbedderRecord: ("sources",)}
        fields |= {name: tuple(fields[name]) for name in lists.get(kind, ()) if name in fields}
        return kind(**fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def scores_of(lines: Iterable[str]) -> dict[str, Score]:
    """Returns key -> score of all whole score lines; others are dropped."""
    records = map(parse, lines)
    return {record.key: record for record in records if isinstance(record, Score)}
