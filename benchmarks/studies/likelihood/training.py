"""One small student of one synthetic world, and what it kept of the truth.

The objectives are those that students of molecules are trained by, with the same optimiser,
schedule and clipping; only the student is another one: a network of three layers on the features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from molkd import objectives
from molkd.bank import Bank
from molkd.benchmarks.studies.likelihood.student import Student, Task, gradient_share
from molkd.benchmarks.studies.likelihood.synthetic import Teacher, World
from molkd.distillation.schedule import TrainSettings
from molkd.information.estimate import linear_r2
from molkd.objectives import Objective, ObjectiveSettings
from molkd.targets import redundancy, similarity
from molkd.tensors import Loss, TargetSpec
from molkd.types import Mask, Matrix, Rows, TeacherCard

_HEADS: Mapping[str, object] = {"head_hidden": 32}
_LR = 5e-3


@dataclass(frozen=True, slots=True)
class Variant:
    """An objective with options.

    Attributes:
        objective: a key of `molkd.objectives.OBJECTIVES`.
        options: of it, beside the width of the heads.
        density: of every teacher; the default of its support where empty.
        weighted: whether teachers are weighted by `molkd.targets.redundancy`.
    """

    objective: str
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    density: str = ""
    weighted: bool = False

    @property
    def text(self) -> str:
        """In words."""
        options = [f"{name} = {value}" for name, value in self.options.items()]
        options += [f"density {self.density}"] if self.density else []
        options += ["teachers weighted by redundancy"] if self.weighted else []
        return f"{self.objective} with {', '.join(options)}" if options else self.objective

    def settings(self, teachers: Mapping[str, Teacher]) -> ObjectiveSettings:
        """Returns the objective's settings for these teachers."""
        options = {**(_HEADS if self.objective != "diverse" else {}), **self.options}
        if self.objective == "diverse":
            options = {"query_hidden": 32, "teacher_dim": 16, **options}
        if self.density:
            options["densities"] = dict.fromkeys(teachers, self.density)
        return objectives.configured(self.objective, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a student kept.

    Attributes:
        kept: R2 of a ridge regression from embedding to truth on fresh rows; 1 is all of it.
        halves: the same of the first four and of the last four numbers of the truth.
        rank: effective rank of the embedding.
        share: of the squared gradient of the embedding, what comes from the marked entries, half
            way through the training; None where nothing is marked or no head tells entries apart.
    """

    kept: float
    halves: tuple[float, float]
    rank: float
    share: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """As much of a bank as `molkd.targets.redundancy` asks for."""

    teachers: Mapping[str, Teacher]

    @property
    def cards(self) -> dict[str, TeacherCard]:
        return {name: _card(name, teacher) for name, teacher in self.teachers.items()}

    def valid(self, name: str) -> Mask:
        return np.ones(len(self.teachers[name].values), dtype=np.bool_)

    def raw(self, name: str, rows: Rows) -> Matrix:
        return self.teachers[name].values[rows]


def learn(world: World, variant: Variant, *, width: int, steps: int, seed: int) -> Outcome:
    """Trains a student and says what it kept.

    Args:
        world: with at least 4 fresh rows.
        variant: what it is trained by.
        width: of its embedding.
        steps: of training.
        seed: of weights and batches; equal ones start from the same student.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = Student(width)
        settings = variant.settings(world.teachers)
        specs, task = prepared(world, settings, weighted=variant.weighted)
        objective = objectives.make(settings, student.spec, specs)
        share = _train(student, objective, task, steps)
    with torch.no_grad():
        z = student.eval()(task.x[task.rows :]).embedding.numpy()
    return _outcome(z, world.truth[task.rows :], share)


def prepared(
    world: World, settings: ObjectiveSettings, *, weighted: bool
) -> tuple[dict[str, TargetSpec], Task]:
    """Returns every teacher in the form that the objective reads: specs, and what is learnt.

    Args:
        world: with teachers.
        settings: of the objective.
        weighted: whether teachers are weighted by `molkd.targets.redundancy`.
    """
    teachers = world.teachers
    weights = dict.fromkeys(teachers, 1.0)
    if weighted:
        rows = np.arange(len(next(iter(teachers.values())).values))
        weights = redundancy.weights(cast("Bank", _Said(teachers)), list(teachers), rows)
    specs: dict[str, TargetSpec] = {}
    values: dict[str, Tensor] = {}
    marked: dict[str, Tensor] = {}
    for name, teacher in teachers.items():
        value = torch.from_numpy(teacher.values)
        varies = value.std(dim=0) > 0
        value = value[:, varies]
        as_is = objectives.target_form(settings, _card(name, teacher)) == "as-is"
        if not as_is:
            value = (value - value.mean(dim=0)) / value.std(dim=0, correction=0)
        support = teacher.support if as_is else "real"
        specs[name] = TargetSpec(value.shape[1], support, value.mean(dim=0), weights[name])
        values[name] = value
        marked[name] = torch.from_numpy(teacher.marked)[:, varies]
    return specs, Task(torch.from_numpy(world.features), values, marked)


def _train(student: Student, objective: Objective, task: Task, steps: int) -> float | None:
    """Trains both and returns the share of the gradient half way through; see `Outcome`."""
    plan, share = TrainSettings(lr=_LR), None
    parameters = [*student.parameters(), *objective.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=plan.lr, weight_decay=plan.weight_decay, fused=True
    )
    order = torch.randperm(task.rows)
    batch, at = min(plan.batch_size, task.rows), 0
    for step in range(steps):
        if at + batch > len(order):
            order, at = torch.randperm(task.rows), 0
        rows = order[at : at + batch]
        at += batch
        if step == steps // 2:
            share = gradient_share(student, objective, task)
        for group in optimizer.param_groups:
            group["lr"] = plan.lr * plan.lr_factor(step, steps)
        objective.at(step / steps)
        loss = cast("Loss", objective(student(task.x[rows]), task.targets(rows)))
        optimizer.zero_grad()
        loss.total.backward()
        for module in (student, objective):
            nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
        optimizer.step()
    return share


def _outcome(z: Matrix, truth: Matrix, share: float | None) -> Outcome:
    fit = len(z) // 2
    mean, sd = z[:fit].mean(axis=0), z[:fit].std(axis=0)
    z = (z - mean) / np.where(sd > 0, sd, 1.0).astype(np.float32)
    half = truth.shape[1] // 2
    halves = [
        linear_r2(z[:fit], part[:fit], z[fit:], part[fit:])
        for part in (truth[:, :half], truth[:, half:])
    ]
    rank = similarity.effective_rank(z.astype(np.float64))
    return Outcome(kept=sum(halves) / 2, halves=(halves[0], halves[1]), rank=rank, share=share)


def _card(name: str, teacher: Teacher) -> TeacherCard:
    dim, support = teacher.values.shape[1], teacher.support
    return TeacherCard(
        name=name, kind="", dim=dim, support=support, source="", license="", limits=""
    )
