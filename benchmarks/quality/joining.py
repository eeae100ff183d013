"""Results of several benchmarks of the same tasks, as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from molkd.benchmarks.records import EmbedderRecord, Results, Run, Score, TaskRecord
from molkd.errors import InputError


def joined(parts: Mapping[Path, Results]) -> Results:
    """Puts results together: each task, embedder and score once.

    Args:
        parts: folder -> its results, at least one; of what occurs twice, the first stays.

    Raises:
        InputError: a task has other rows in two folders, a label names two embedders, or a probe
            is not the same one.
    """
    tasks: dict[tuple[str, str], TaskRecord] = {}
    embedders: dict[str, EmbedderRecord] = {}
    scores: dict[str, Score] = {}
    probes: dict[str, str] = {}
    for folder, part in parts.items():
        for name in dict.fromkeys(score.probe for score in part.scores):
            digest = part.run.probe_digests.get(name, "")
            if probes.setdefault(name, digest) != digest:
                raise InputError(
                    f"{folder}: the probe {name} is of another version than in the folders before, "
                    "so that its scores cannot be compared; run the older benchmark again"
                )
        for task in part.tasks:
            known = tasks.setdefault((task.name, task.split), task)
            if (known.digest, known.compared) != (task.digest, task.compared):
                raise InputError(
                    f"{folder}: {task.name} has {task.compared} compared rows of digest "
                    f"{task.digest[:12]}, elsewhere {known.compared} of {known.digest[:12]}; "
                    "join benchmarks whose embedders embed the same rows"
                )
        for record in part.embedders:
            if embedders.setdefault(record.label, record).digest != record.digest:
                raise InputError(
                    f"{folder}: {record.label} is another embedder than in the folders before; "
                    "give one of them another label"
                )
        for score in part.scores:
            scores.setdefault(f"{score.key} {score.embedder}", score)
    run = _run([part.run for part in parts.values()])
    return Results(run, tuple(tasks.values()), tuple(embedders.values()), tuple(scores.values()))


def _run(runs: Iterable[Run]) -> Run:
    """Settings and versions that differ stand side by side; one for choices makes all so."""
    first, *rest = runs
    settings, versions = dict(first.settings), dict(first.versions)
    for run in rest:
        settings = _beside(settings, run.settings)
        versions = {name: str(value) for name, value in _beside(versions, run.versions).items()}
    if any(run.settings.get("part") == "valid" for run in (first, *rest)):
        settings["part"] = "valid"
    leakage = {task: counts for run in (first, *rest) for task, counts in run.leakage.items()}
    probes = {name: digest for run in (first, *rest) for name, digest in run.probe_digests.items()}
    return replace(
        first, settings=settings, versions=versions, leakage=leakage, probe_digests=probes
    )


def _beside(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {**other, **one}
    for name in one.keys() & other.keys():
        if one[name] != other[name]:
            both[name] = f"{one[name]} | {other[name]}"
    return both
