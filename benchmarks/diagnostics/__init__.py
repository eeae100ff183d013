"""What can be said about embeddings without labels: teachers beside each other, a student's view.

A row that one of the embedders failed on is left out for all of them, so that all figures are of
the same items. Linear maps and densities are fitted on 70 % of the items and read on the others;
everything else is of all items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.bank import Bank
from molkd.benchmarks.diagnostics.comparable import Comparable, Facts, K, common_rows
from molkd.benchmarks.diagnostics.linear_map import Parts, linear_r2
from molkd.errors import ConfigError
from molkd.runtime.processes import one_thread
from molkd.targets import similarity
from molkd.targets.similarity import Floats
from molkd.types import Matrix, Rows, Support

REDUNDANT = 0.9
"""R2 and CKA from which a teacher is called redundant beside another one."""

CEILING = 0.95
"""R2 of a teacher from itself below which the sample is called too small for it."""

_STEPS = 400
_BATCH = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TeacherComparison:
    """Teachers beside each other; matrices are of shape (t, t), in the order of `facts`.

    Attributes:
        facts: t teachers by name.
        cka: see `similarity.cka`.
        r2: [a, b] is how well a linear map from teacher a predicts teacher b.
        overlap: mean share of the 10 nearest neighbours in common.
        chance: overlap of unrelated embeddings.
        groups: names of teachers whose mean CKA is at least `REDUNDANT`, singles included.
        order: the t positions with like beside like, for a heat map.
        items: how many were given.
        compared: how many all teachers could embed.
    """

    facts: Mapping[str, Facts]
    cka: Floats
    r2: Floats
    overlap: Floats
    chance: float
    groups: tuple[tuple[str, ...], ...]
    order: tuple[int, ...]
    items: int
    compared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How alike a student and one teacher are.

    Attributes:
        r2: of a linear map from student to teacher.
        cka: see `similarity.cka`.
        overlap: mean share of the 10 nearest neighbours in common.
    """

    r2: float
    cka: float
    overlap: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What a student knows about its teachers.

    Attributes:
        student: facts of its embedding.
        trained: teacher -> likeness.
        untrained: teacher -> likeness of the same network with random weights; what is above it
            was learnt. Empty where none was given.
        mutual_information: teacher -> nats per item; see `molkd.information.estimate.Information`.
            A sample is small for fitting densities, so that it is too low, and even below 0 where
            columns hold values that are rare in the sample.
        chance: overlap of unrelated embeddings.
        items: how many were given.
        compared: how many all could embed.
    """

    student: Facts
    trained: Mapping[str, Likeness]
    untrained: Mapping[str, Likeness]
    mutual_information: Mapping[str, float]
    chance: float
    items: int
    compared: int


def compare_teachers(
    values: Mapping[str, Matrix],
    *,
    keys: Sequence[str],
    supports: Mapping[str, Support] | None = None,
    seed: int = 0,
) -> TeacherComparison:
    """Compares every teacher with every other.

    Args:
        values: teacher -> shape (n, d_t); rows that it failed on are NaN. At least two.
        keys: n strings; items with equal ones are on one side of the split.
        supports: teacher -> what values it takes; "real" where it is not named.
        seed: of the split.

    Raises:
        ConfigError: fewer than two teachers.
        InputError: too few items that all can embed, or a teacher that does not vary.
    """
    if len(values) < 2:
        raise ConfigError(f"a comparison needs at least two teachers, not {len(values)}")
    supports = supports or {}
    common = common_rows(values)
    with threadpool_limits(1):  # the number of threads would change the last bits
        comparable = Comparable.of({name: values[name][common] for name in values}, supports)
        parts = Parts.of([keys[int(row)] for row in common], seed=seed)
        prepared = list(comparable.prepared.values())
        cka = similarity.cka(prepared)
        rows = [linear_r2(form, prepared, parts) for form in prepared]
        near = list(comparable.neighbours.values())
        overlap = [[similarity.overlap(a, b) for b in near] for a in near]
        facts = {name: comparable.facts(name, values[name]) for name in values}
    names = list(values)
    groups = similarity.groups(cka, least=REDUNDANT)
    return TeacherComparison(
        facts=facts,
        cka=cka,
        r2=np.array(rows),
        overlap=np.array(overlap),
        chance=K / (len(common) - 1),
        groups=tuple(tuple(names[place] for place in group) for group in groups),
        order=tuple(similarity.order(cka)),
        items=len(keys),
        compared=len(common),
    )


def diagnose(
    student: Matrix,
    bank: Bank,
    rows: Rows,
    *,
    untrained: Matrix | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Diagnosis:
    """Says what a student's embedding knows about each teacher of a bank.

    Args:
        student: shape (m, d); rows that it failed on are NaN.
        bank: of the teachers.
        rows: shape (m,), positions of those items in the bank.
        untrained: shape (m, d'), what the same network says with random weights.
        seed: of split and densities.
        progress: whether to show a progress bar of the densities.

    Raises:
        InputError: too few items that all can embed, or an embedding that does not vary.
    """
    values = {name: bank.raw(name, rows) for name in bank.cards}
    own = {"the student": student}
    if untrained is not None:
        own["the untrained student"] = untrained
    common = common_rows({**own, **values})
    parts = Parts.of([bank.items[int(rows[row])] for row in common], seed=seed)
    supports: dict[str, Support] = {name: card.support for name, card in bank.cards.items()}
    with threadpool_limits(1), one_thread():
        students = Comparable.of({name: own[name][common] for name in own}, {})
        teachers = Comparable.of({name: values[name][common] for name in values}, supports)
        likeness = [_likeness(students, name, teachers, parts) for name in own]
        information = _information(
            student[common], bank, rows[common], parts, seed, progress=progress
        )
        facts = students.facts("the student", student)
    return Diagnosis(
        student=facts,
        trained=likeness[0],
        untrained=likeness[1] if untrained is not None else {},
        mutual_information=information,
        chance=K / (len(common) - 1),
        items=len(rows),
        compared=len(common),
    )


def _likeness(
    students: Comparable, student: str, teachers: Comparable, parts: Parts
) -> dict[str, Likeness]:
    source, near = students.prepared[student], students.neighbours[student]
    scores = linear_r2(source, list(teachers.prepared.values()), parts)
    return {
        name: Likeness(
            r2=r2,
            cka=float(similarity.cka([source, teachers.prepared[name]])[0, 1]),
            overlap=similarity.overlap(near, teachers.neighbours[name]),
        )
        for name, r2 in zip(teachers.prepared, scores, strict=True)
    }


def _information(
    student: Matrix, bank: Bank, rows: Rows, parts: Parts, seed: int, *, progress: bool
) -> dict[str, float]:
    """Fits densities on the training rows, with as many steps as a large corpus would give."""
    from molkd import objectives
    from molkd.information.densities import EmbeddedRows
    from molkd.information.estimate import estimate
    from molkd.information.settings import EstimatorSettings
    from molkd.targets.fitting import fit_scaling
    from molkd.targets.reader import TargetReader

    objective = objectives.MutualInformationSettings()
    train = np.sort(rows[parts.train])
    scalings = {
        name: fit_scaling(bank, name, train, form=objective.form(card))
        for name, card in bank.cards.items()
    }
    information = estimate(
        TargetReader(bank, scalings),
        train=EmbeddedRows(rows[parts.train], student[parts.train]),
        valid=EmbeddedRows(rows[parts.test], student[parts.test]),
        settings=EstimatorSettings(
            epochs=max(12, -(-_STEPS * _BATCH // len(train))), batch_size=_BATCH, seed=seed
        ),
        progress=progress,
    )
    return {name: about.mutual_information for name, about in information.items()}


def sentences(comparison: TeacherComparison) -> list[str]:
    """Says which teachers are redundant, in plain English.

    A teacher counts as predicted where a linear map explains `REDUNDANT` of what it explains from
    the teacher itself: rare bits cannot be learnt from a sample, whatever they are predicted from.
    """
    names, r2 = list(comparison.facts), np.nan_to_num(comparison.r2, nan=0.0)
    own = np.diagonal(r2)
    others = np.where(np.eye(len(names), dtype=np.bool_), -np.inf, r2)
    source = np.argmax(others, axis=0).tolist()
    lines = [
        f"{names[b]} is predicted from {names[a]} with R2 {r2[a, b]:.2f}"
        + (f" ({own[b]:.2f} from itself)" if own[b] < CEILING else "")
        + ": distilling both adds little."
        for b, a in enumerate(source)
        if r2[a, b] >= REDUNDANT * own[b] > 0
    ]
    lines += [
        f"{', '.join(group)} are alike in geometry, with a mean CKA of at least {REDUNDANT}: "
        "distilling more than one of them adds little."
        for group in comparison.groups
        if len(group) > 1
    ]
    if not lines:
        b = int(np.argmax(others.max(axis=0)))
        lines.append(
            "No teacher is redundant, as far as linear maps and CKA tell; the nearest to it is "
            f"{names[b]}, predicted from {names[source[b]]} with R2 {r2[source[b], b]:.2f}."
        )
    return lines + _limits(comparison)


def _limits(comparison: TeacherComparison) -> list[str]:
    """Says what the sample could not show, what is narrower than it looks, and what is missing."""
    own = dict(zip(comparison.facts, np.diagonal(comparison.r2).tolist(), strict=True))
    hard = [f"{name} ({r2:.2f})" for name, r2 in own.items() if r2 < CEILING]
    lines: list[str] = []
    if hard:
        lines.append(
            f"{comparison.compared} items are too few to predict {', '.join(hard)} even from "
            "itself (R2 in brackets): with more of them R2 would be higher."
        )
    lines += [
        f"{name} uses about {facts.effective_rank:.0f} of its {facts.dim} dimensions."
        for name, facts in comparison.facts.items()
        if facts.effective_rank < facts.dim / 10
    ]
    return lines + _left_out(comparison)


def _left_out(comparison: TeacherComparison) -> list[str]:
    count = comparison.items - comparison.compared
    if not count:
        return []
    failed = {name: facts.failed for name, facts in comparison.facts.items() if facts.failed}
    blame = ", ".join(f"{name} failed on {number}" for name, number in failed.items())
    return [f"{count} of {comparison.items} items were left out for all: {blame}."]
