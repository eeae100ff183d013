"""From a list of items and teachers to a trained student in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molkd import students
from molkd.bank import Bank
from molkd.deprecated import add_node_names
from molkd.distillation import basis, report
from molkd.distillation import corpus as corpora
from molkd.distillation.settings import DistillSettings
from molkd.distillation.trainer import Corpus, Distiller
from molkd.information import adaptors
from molkd.information.densities import EmbeddedRows, fit_adaptors
from molkd.information.estimate import Information, estimate
from molkd.objectives import MutualInformationSettings, Objective
from molkd.runtime import devices, distributed, launch, locks
from molkd.runtime.settings import as_table
from molkd.students import Student
from molkd.students.molecules import MoleculeStudent
from molkd.targets.joint import JOINT, JointReader, fit_joint
from molkd.targets.reader import TargetReader
from molkd.tensors import QueryableTeachers
from molkd.types import Rows, Teacher

__all__ = ["DistillSettings", "Distilled", "distill"]


_REMEMBERED = 100_000
"""Rows of the corpus, at most, from which it is learnt what is familiar."""


@dataclass(frozen=True, slots=True)
class Distilled:
    """What a distillation gives.

    Attributes:
        student: trained, on the CPU, in evaluation mode.
        information: teacher -> what the student knows about it.
        history: one record of losses per epoch.
        failures: row -> why the item could not be used.
        shortened: items that lost their end, because they are longer than what the student reads.
    """

    student: Student[Any, Any, Any] = field(repr=False)
    information: Mapping[str, Information]
    history: Sequence[Mapping[str, float]] = field(repr=False)
    failures: Mapping[int, str]
    shortened: int = 0


def distill(  # noqa: PLR0913
    items: Sequence[object],
    teachers: Sequence[Teacher[Any]],
    output: str | Path,
    settings: DistillSettings | None = None,
    *,
    bank: str | Path | None = None,
    device: str = "auto",
    jobs: int = 1,
    engine: str = "local",
    progress: bool = True,
) -> Distilled:
    """Distils teachers into a student; run again after a kill, it resumes.

    Processes that `torchrun` started share every batch of the training; the first one does all
    else, with its items, and writes. Each returns the same.

    Args:
        items: what the student reads, one per row: SMILES for a molecular student, texts, or
            images (paths, bytes, arrays); rows that cannot be read are left out and reported.
        teachers: at least one, which read the same.
        output: folder for the student, its model card, metrics, plots and checkpoints.
        settings: see `DistillSettings`.
        bank: folder of the teacher embeddings, to share between runs; in `output` by default.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps", for the student.
        jobs: processes for teachers and items.
        engine: where teachers embed: "local" here, "ray" on a Ray cluster.
        progress: whether to show progress bars.

    Raises:
        ConfigError: settings contradict each other or the data.
        StaleBankError: the bank folder holds other items or teachers.
        OutputError: the disk is full; run again to resume.
        WorkerDiedError: a process died, of those that read or of those that train.
    """
    settings = settings or DistillSettings()
    for teacher in teachers:
        add_node_names(teacher)
    settings = replace(settings, teachers=tuple(teacher.card.name for teacher in teachers))
    settings.check()
    corpora.refuse_other_readers(teachers, settings)
    queryable = corpora.queryable_teachers(teachers, settings)
    folder, shown = Path(output), progress and launch.rank() == 0
    with distributed.joined(devices.choose(device)):
        checked = distributed.from_main(
            lambda: corpora.checked(items, settings, jobs, progress=shown)
        )
        place = Path(bank) if bank else folder / "bank"
        stored = corpora.filled_bank(
            place, checked, teachers, settings, jobs=jobs, engine=engine, progress=shown
        )
        student = students.make(settings.student, seed=settings.train.seed, items=checked.items)
        prepared = corpora.reading_of(student, checked, stored, jobs, progress=shown)
        corpus = corpora.corpus_of(stored, prepared, settings, queryable=queryable)
        objective = _objective(student, corpus, settings, queryable)
        towards = _components(stored, corpus, settings, student.embedding_dim)
        distiller = Distiller(student, objective, settings.train, device=device)
        with locks.held(folder) if distributed.main() else contextlib.nullcontext():
            history = distiller.fit(corpus, folder=folder, progress=shown)
        information = distributed.from_main(
            lambda: _finished(student, towards, stored, corpus, settings, folder, progress=shown)
        )
        run = report.Run(
            cards=[stored.cards[name] for name in settings.teachers],
            information=information,
            history=history,
            unit=objective.unit,
            settings=as_table(settings),
            rows={
                settings.modality.name: len(items),
                "train": len(corpus.train),
                "valid": len(corpus.valid),
            },
            corpus_digest=corpus.digest,
            half=settings.weights_dtype == "fp16",
        )
        distributed.from_main(lambda: report.write(folder, student, run))
        if not distributed.main():
            student = students.load(folder)
    failures = {**prepared.failures, **checked.failures}
    return Distilled(student, information, history, failures, prepared.shortened)


def _objective(
    student: Student[Any, Any, Any],
    corpus: Corpus[Any],
    settings: DistillSettings,
    queryable: QueryableTeachers,
) -> Objective:
    """One with weights that its seed alone decides."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.train.seed)
        return settings.objective.build(
            student.feature_spec, corpus.reader.specs, queryable=queryable
        )


def _finished(
    student: Student[Any, Any, Any],
    towards: JointReader | None,
    bank: Bank,
    corpus: Corpus[Any],
    settings: DistillSettings,
    folder: Path,
    *,
    progress: bool,
) -> dict[str, Information]:
    """Does to a trained student what comes after training; returns what it knows."""
    if towards is not None:
        _turn(student, towards, corpus, settings)
    if settings.weights_dtype == "fp16":
        student.round()
    student.remember(corpus.prepared.select(corpus.train))
    information = _estimated(student, bank, corpus, settings, progress=progress)
    if settings.adapted:
        _adapt(student, bank, corpus, settings, folder, progress=progress)
    if isinstance(student, MoleculeStudent):
        rows = _sample(corpus.train, _REMEMBERED, settings.train.seed)
        embedded = _embedded(student, corpus, rows)
        student.remember_familiar(corpus.prepared.select(rows), embedded.values, folder)
    student.cpu()
    return information


def _components(
    bank: Bank, corpus: Corpus[Any], settings: DistillSettings, dim: int
) -> JointReader | None:
    """The components that the embedding is turned towards; fitted, and refused, before training."""
    if settings.basis != "teachers":
        return None
    reader = corpus.reader
    if not (isinstance(reader, JointReader) and len(reader.sds) == dim):
        reader = fit_joint(bank, settings.teachers, corpus.train, dim)
    basis.check(len(reader.sds), dim)
    return reader


def _turn(
    student: Student[Any, Any, Any],
    towards: JointReader,
    corpus: Corpus[Any],
    settings: DistillSettings,
) -> None:
    """Turns the embedding towards the components of all teachers, on a sample of rows."""
    rows = _sample(corpus.train, settings.estimate.train_rows, settings.train.seed)
    targets = towards.targets(rows)
    there = targets.present[JOINT].numpy()
    embedded = _embedded(student, corpus, rows).values
    values = targets.values[JOINT].numpy()[there]
    basis.turn(student, embedded[there], values, towards.sds, settings.prefixes)


def _estimated(
    student: Student[Any, Any, Any],
    bank: Bank,
    corpus: Corpus[Any],
    settings: DistillSettings,
    *,
    progress: bool,
) -> dict[str, Information]:
    """Estimates, on a sample of rows, what the student knows about each teacher.

    Bits and counts are modelled as they are, whatever the objective read, so that the figures of
    different objectives can be compared.
    """
    estimator = replace(settings.estimate, seed=settings.train.seed)
    scalings = corpora.scalings_of(bank, settings, MutualInformationSettings(), corpus.train)
    rows = (
        _sample(corpus.train, estimator.train_rows, estimator.seed),
        _sample(corpus.valid, estimator.valid_rows, estimator.seed),
    )
    fresh = students.untrained_like(student, seed=estimator.seed).to(student.device)
    train, valid = (_embedded(student, corpus, some) for some in rows)
    train_before, valid_before = (_embedded(fresh, corpus, some) for some in rows)
    return estimate(
        TargetReader(bank, scalings),
        train=train,
        valid=valid,
        settings=estimator,
        untrained=(train_before, valid_before),
        progress=progress,
    )


def _adapt(
    student: Student[Any, Any, Any],
    bank: Bank,
    corpus: Corpus[Any],
    settings: DistillSettings,
    folder: Path,
    *,
    progress: bool,
) -> None:
    """Fits adaptors of some teachers, and writes them beside the student."""
    how = replace(settings.adaptors, seed=settings.train.seed)
    some = replace(settings, teachers=settings.adapted)
    scalings = corpora.scalings_of(bank, some, MutualInformationSettings(), corpus.train)
    train = _embedded(student, corpus, _sample(corpus.train, how.train_rows, how.seed))
    fitted = fit_adaptors(TargetReader(bank, scalings), scalings, train, how, progress=progress)
    half = settings.weights_dtype == "fp16"
    if half:
        fitted.round()
    adaptors.save(folder / adaptors.FOLDER, fitted, student.digest, half=half)


def _embedded(student: Student[Any, Any, Any], corpus: Corpus[Any], rows: Rows) -> EmbeddedRows:
    return EmbeddedRows(rows, student.encode(corpus.prepared.select(rows)).values)


def _sample(rows: Rows, most: int, seed: int) -> Rows:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
