"""From items and teachers to a corpus that a student can be trained on."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from molkd import bank as banks
from molkd.bank import Bank, readings
from molkd.distillation.settings import DistillSettings
from molkd.distillation.trainer import Corpus
from molkd.errors import ConfigError
from molkd.items import ReadItems, check
from molkd.objectives import ObjectiveSettings
from molkd.runtime import distributed, launch
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress
from molkd.students.base import PackedT, Student
from molkd.students.packed_items import PackedItems
from molkd.targets import joint, redundancy
from molkd.targets.fitting import Scaling, fit_scaling
from molkd.targets.reader import TargetReader, fit_nodes
from molkd.tensors import QueryableTeacher, QueryableTeachers, as_queryable
from molkd.types import NodeTeacher, Rows, Teacher, digest_of

_CHUNK = 1024


def checked(
    items: Sequence[object], settings: DistillSettings, jobs: int, *, progress: bool
) -> ReadItems:
    """Reads all items once; see `molkd.items.Modality.check`."""
    modality = settings.modality
    read = ReadItems([], [], {})
    function = functools.partial(check, modality=modality.name, level=settings.standardize)
    for part in _mapped(function, items, jobs, f"check {modality.name}", progress=progress):
        read.failures.update({row + len(read.keys): why for row, why in part.failures.items()})
        read.keys.extend(part.keys)
        read.items.extend(part.items)
    return read


def refuse_other_readers(teachers: Sequence[Teacher[Any]], settings: DistillSettings) -> None:
    """Refuses teachers that read something else than the student.

    Raises:
        ConfigError: names the first one.
    """
    for card in (teacher.card for teacher in teachers):
        if card.modality != settings.student.modality:
            raise ConfigError(
                f"teacher {card.name!r} reads {card.modality}, but a student of size "
                f"{settings.student.size!r} reads {settings.student.modality}: "
                "choose another size, or give the teacher a view of the items "
                "(see 'molkd.teachers.through')"
            )


def filled_bank(
    path: Path,
    corpus: ReadItems,
    teachers: Sequence[Teacher[Any]],
    settings: DistillSettings,
    *,
    jobs: int,
    engine: str = "local",
    progress: bool,
) -> Bank:
    """Builds the bank of the teachers, or completes one; see `molkd.bank.build`.

    Of several processes the first one does; the others wait, and open it.

    Args:
        path: its folder.
        corpus: the items; no teacher is asked about those that failed.
        teachers: those to read.
        settings: what is stored, and how.
        jobs: processes.
        engine: where they are; see `molkd.bank.build`.
        progress: whether to show progress bars.
    """
    nodes = node_names(teachers, settings)
    with distributed.main_first():
        if not distributed.main():
            return Bank.open(path, teachers=[t.card.name for t in teachers], nodes=nodes)
        return banks.build(
            path,
            corpus.items,
            teachers,
            keys=corpus.keys,
            errors=corpus.failures,
            standardization=settings.standardize,
            dtype=settings.bank_dtype,
            jobs=jobs,
            engine=engine,
            parse=settings.modality.parse,
            nodes=nodes,
            progress=progress,
        )


def node_names(teachers: Sequence[Teacher[Any]], settings: DistillSettings) -> list[str]:
    """The teachers whose states of nodes the objective reads."""
    reads = settings.objective.reads_nodes
    return [t.card.name for t in teachers if reads and isinstance(t, NodeTeacher)]


def queryable_teachers(
    teachers: Sequence[Teacher[Any]], settings: DistillSettings
) -> dict[str, QueryableTeacher]:
    """Makes those queryable that the objective asks during training.

    Raises:
        ConfigError: one of them cannot answer queries.
        WeightsError: its weights are missing.
    """
    names = settings.objective.queried_teachers
    return {t.card.name: as_queryable(t) for t in teachers if t.card.name in names}


def prepared_of(
    student: Student[Any, PackedT, Any], corpus: ReadItems, jobs: int, *, progress: bool
) -> PackedT:
    """Reads all items in the form of the student; none of the rows that failed."""
    readable = [None if row in corpus.failures else item for row, item in enumerate(corpus.items)]
    parts = list(
        _mapped(student.featurize, readable, jobs, "read for the student", progress=progress)
    )
    return type(parts[0]).concatenate(parts)


def reading_of(
    student: Student[Any, PackedT, Any], corpus: ReadItems, bank: Bank, jobs: int, *, progress: bool
) -> PackedT:
    """Returns what `prepared_of` does, read once for all runs on a bank where it can be kept."""
    jobs = jobs if distributed.main() else max(1, jobs // launch.world_size())
    with distributed.main_first():
        return readings.kept(
            bank.path,
            bank.header,
            student.featurize([]),
            student.reading_here(),
            lambda: prepared_of(student, corpus, jobs, progress=progress),
        )


def _mapped(function: Any, items: Sequence[Any], jobs: int, what: str, *, progress: bool) -> Any:
    """Applies a function to chunks of items, in order, with a progress bar."""
    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    jobs = min(jobs, len(chunks))
    with Progress(what, len(items), shown=progress) as bar:
        for chunk, result in zip(chunks, ordered_map(function, chunks, jobs=jobs), strict=True):
            bar.update(len(chunk))
            yield result


def corpus_of(
    bank: Bank,
    prepared: PackedT,
    settings: DistillSettings,
    *,
    queryable: QueryableTeachers | None = None,
) -> Corpus[PackedT]:
    """Splits the usable rows and fits the scalings of all teachers on the training rows.

    Args:
        bank: what the teachers said.
        prepared: the same items as the student reads them.
        settings: how rows are split and values scaled.
        queryable: teachers that are asked during training.

    Raises:
        ConfigError: a teacher could embed nothing, or a split would be empty.
    """
    rows = _usable(bank, settings.teachers, prepared)
    train, valid = settings.modality.splits[settings.split](
        [bank.items[int(row)] for row in rows],
        fraction=settings.valid_fraction,
        seed=settings.train.seed,
    )
    train, valid = rows[train], rows[valid]
    reader = _reader(bank, prepared, settings, train, queryable)
    sides = [hashlib.sha256(side.tobytes()).hexdigest() for side in (train, valid)]
    scaling = [dict(settings.pca), settings.weights, settings.winsorize]
    scaling += [] if settings.joint_pca is None else [settings.joint_pca]
    deciding = [asdict(settings.objective), *scaling]
    return Corpus(prepared, reader, train, valid, digest_of([bank.digest, sides, *deciding]))


def _reader(
    bank: Bank,
    prepared: PackedItems,
    settings: DistillSettings,
    train: Rows,
    queryable: QueryableTeachers | None,
) -> TargetReader:
    """What reads the targets, fitted on the training rows."""
    if settings.joint_pca is not None:
        return joint.fit_joint(bank, settings.teachers, train, settings.joint_pca)
    weights = None
    if settings.weights == "redundancy":
        weights = redundancy.weights(bank, settings.teachers, train, seed=settings.train.seed)
    return TargetReader(
        bank,
        scalings_of(bank, settings, settings.objective, train),
        weights=weights,
        nodes={name: fit_nodes(bank, name, train) for name in bank.node_folders},
        sizes=prepared.sizes,
        queryable=queryable,
    )


def scalings_of(
    bank: Bank, settings: DistillSettings, objective: ObjectiveSettings, train: Rows
) -> dict[str, Scaling]:
    """Fits the scaling of each teacher on the training rows, in the form the objective reads."""
    scalings: dict[str, Scaling] = {}
    for name in settings.teachers:
        form = objective.form(bank.cards[name])
        form = "pca" if name in settings.pca else form
        bound = settings.winsorize if form == "standardized" else None
        components = settings.pca.get(name, 1)
        scalings[name] = fit_scaling(
            bank, name, train, form=form, components=components, winsorize=bound
        )
    return scalings


def _usable(bank: Bank, names: Sequence[str], prepared: PackedItems) -> Rows:
    """The rows that the student can read and some teacher could embed."""
    usable = np.zeros(len(bank), dtype=np.bool_)
    for name in names:
        if not bank.valid(name).any():
            reasons = [why for row, why in bank.failures(name).items() if row not in bank.errors]
            raise ConfigError(
                f"teacher {name!r} could embed none of {len(bank)} items "
                f"({reasons[0] if reasons else 'no reason given'}): leave it out"
            )
        usable |= bank.valid(name)
    usable[list(prepared.failures)] = False
    return np.flatnonzero(usable)
