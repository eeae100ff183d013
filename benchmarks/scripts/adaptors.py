"""Measures what is lost where a student's adaptor stands in for a teacher.

    python -m molkd.benchmarks.scripts.adaptors runs/base --teachers rdkit2d --data DIR

A probe is fitted on the teacher's own values of a task's molecules, and scored on others of them:
once fed with the teacher's own values, once with what the adaptor predicts. All are training rows
of the task, split anew by scaffold; official test rows are not read, so that choices may follow
from the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from molkd import students, teachers
from molkd.benchmarks import probes
from molkd.benchmarks import tasks as registry
from molkd.benchmarks.probes.inputs import Scaler
from molkd.benchmarks.quality import planning, scoring
from molkd.benchmarks.quality.scoring import Inputs
from molkd.benchmarks.tasks.task import Task
from molkd.errors import MolkdError
from molkd.types import Matrix

CHOOSING = (
    "ames",
    "bioavailability_ma",
    "clearance_hepatocyte_az",
    "cyp2c9_substrate_carbonmangels",
    "cyp2d6_substrate_carbonmangels",
    "cyp3a4_substrate_carbonmangels",
    "dili",
    "herg",
    "ld50_zhu",
    "pgp_broccatelli",
    "solubility_aqsoldb",
)
"""The half of TDC's ADMET group by which choices are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Of a probe fitted on a teacher's own values; means over splits, the greater the better.

    Attributes:
        real: fed with the teacher's own values.
        predicted: fed with the adaptor's predictions.
    """

    real: float
    predicted: float

    @property
    def line(self) -> str:
        """Three columns of the table."""
        return f"{self.real:10.3f}{self.predicted:12.3f}{self.predicted / self.real:8.3f}"


def training_rows(task: Task) -> Task:
    """Returns a task without its official test rows, to be split anew by scaffold."""
    rows = np.arange(len(task.items)) if task.test is None else np.flatnonzero(~task.test)
    return replace(
        task,
        items=tuple(task.items[row] for row in rows),
        labels=task.labels[rows],
        split="scaffold",
        test=None,
        valid=None,
        times=None,
        subsets={},
    )


def compare(
    task: Task, real: Matrix, predicted: Matrix, *, probe: str, seeds: Sequence[int]
) -> Scores | None:
    """Scores a probe with a teacher's own values and with an adaptor's predictions of them.

    Args:
        task: of molecules and one label.
        real: shape (n, d), of the teacher; rows with NaN are left out.
        predicted: shape (n, d), likewise.
        probe: name.
        seeds: of the splits.

    Returns:
        None where there are too few rows.
    """
    both = np.asarray(np.isfinite(np.hstack([real, predicted])).all(axis=1))
    (plan,) = planning.plan_all(
        [task], lambda _: both, methods=(), seeds=seeds, excluded={}, jobs=1
    )
    pairs: list[tuple[float, float]] = []
    for asked in (each for every in plan.probe_tasks.values() for each in every):
        own = scoring.scaled(real, asked.split, components=None)
        scaler = Scaler.fit(real[asked.split.train])
        fed = Inputs(own.train, own.valid, scaler.transform(predicted[asked.split.test]))
        one, other = (
            scoring.answer(inputs, asked, probes.make(probe)).test[task.comparable]
            for inputs in (own, fed)
        )
        pairs.append((one, other))
    if not pairs:
        return None
    one, other = np.mean(pairs, axis=0)
    return Scores(real=float(one), predicted=float(other))


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row per teacher and task, and what is kept on average."""
    parser = argparse.ArgumentParser(description="What a probe keeps that an adaptor feeds.")
    parser.add_argument("student", help="folder or name of a student with adaptors")
    parser.add_argument("--teachers", default="rdkit2d", help="names, with commas between")
    parser.add_argument("--data", type=Path, help="folder of benchmark data")
    parser.add_argument("--tasks", default=",".join(f"tdc-admet:{name}" for name in CHOOSING))
    parser.add_argument("--probe", default="linear")
    parser.add_argument("--seeds", type=int, default=3, help="splits of every task")
    options = parser.parse_args(arguments)
    try:
        _report(options)
    except MolkdError as error:
        parser.error(str(error))


def _report(options: argparse.Namespace) -> None:
    student = students.load(options.student)
    panel = [teachers.make(name) for name in options.teachers.split(",")]
    tasks = registry.load(options.tasks.split(","), data=options.data)
    found: dict[str, list[Scores]] = {teacher.card.name: [] for teacher in panel}
    print(f"{'teacher':20s}{'task':34s}{'metric':10s}{'teacher':>10s}{'adaptor':>12s}{'kept':>8s}")
    for task in map(training_rows, tasks):
        for name, teacher in zip(found, panel, strict=True):
            predicted = student.predict_teacher(task.items, name).mean
            real = teacher.embed(list(task.items)).values
            scores = compare(task, real, predicted, probe=options.probe, seeds=range(options.seeds))
            if scores:
                found[name].append(scores)
                print(f"{name:20s}{task.name:34s}{task.comparable:10s}{scores.line}", flush=True)
    for name, each in found.items():
        if each:
            mean = Scores(
                real=float(np.mean([one.real for one in each])),
                predicted=float(np.mean([one.predicted for one in each])),
            )
            print(f"{name:20s}{f'mean of {len(each)}':44s}{mean.line}")


if __name__ == "__main__":
    main()
