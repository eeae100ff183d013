"""Scores of embedders on tasks, each value given by the test that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from molkd.benchmarks.records import EmbedderRecord, Results, Run, Score, TaskRecord

Value = Callable[[Score], dict[str, float]]
"""A score without its values -> metric -> value."""


def task(name: str, *, split: str = "given", metric: str = "MAE", group: str = "g") -> TaskRecord:
    """A regression of one label."""
    return TaskRecord(
        name=name,
        group=group,
        kind="regression",
        metric=metric,
        comparable="Spearman",
        split=split,
        labels=("y",),
        items=900,
        compared=900,
        digest="d" * 64,
    )


def score(
    record: TaskRecord,
    embedder: str,
    probe: str,
    seed: int,
    value: Value,
    *,
    labelled: int | None = None,
    rows: tuple[int, int] = (100, 40),
) -> Score:
    """A score; `rows` are all test rows and those of the subset "cliffs"."""
    empty = Score(
        task=record.name,
        label="y",
        embedder=embedder,
        probe=probe,
        seed=seed,
        test={},
        valid={},
        chosen={},
        rows={"train": labelled or 500, "valid": 0, "test": rows[0], "test[cliffs]": rows[1]},
        key=f"{record.name} {record.split} {embedder} {probe} {seed} {labelled}",
        split=record.split,
        labelled=labelled,
    )
    return replace(empty, test=value(empty))


def results(
    tasks: Sequence[TaskRecord], embedders: Sequence[str], scores: Sequence[Score]
) -> Results:
    """Everything together; the first embedder is a student, the others are teachers."""
    return Results(
        Run(settings={}, versions={}),
        tuple(tasks),
        tuple(
            EmbedderRecord(
                label=label,
                spec=label,
                role="teacher" if place else "student",
                digest=label,
                dim=4,
                parameters=0,
                failed=0,
            )
            for place, label in enumerate(embedders)
        ),
        tuple(scores),
    )
