"""From a list of molecules and teachers to a trained student in a folder.

The only place that knows all parts: bank, split, student, objective, distiller and report.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from tqdm import tqdm

from molkd import bank as banks
from molkd import chem, objectives, report, splits, students
from molkd.bank import Bank, StoreAs
from molkd.distiller import Corpus, Distiller
from molkd.errors import ConfigError
from molkd.graph import Graphs
from molkd.information import Embeddings, EstimatorSettings, Information, estimate
from molkd.objectives import MutualInformationSettings, ObjectiveSettings
from molkd.parallel import ordered_map
from molkd.plan import Plan
from molkd.statistics import Scaling, fit_scaling
from molkd.students import GineStudent, StudentSettings
from molkd.targets import TargetReader
from molkd.types import Rows, Teacher, digest_of

Split = Literal["random", "scaffold"]

_CHUNK = 1024
_REPORT_TRAIN, _REPORT_VALID = 20_000, 5_000


@dataclass(frozen=True, kw_only=True)
class DistillSettings:
    """Everything that decides a distillation but the molecules and the teachers.

    Attributes:
        teachers: names of the teachers, for the record and for the command line.
        student: its size and shape.
        objective: what it minimises.
        plan: how it is trained.
        standardize: what is done to the molecules first.
        split: how validation rows are chosen; duplicates, or scaffolds, stay on one side.
        valid_fraction: share of the rows to validate on.
        bank_dtype: type in which teacher embeddings are stored.
        pca: teacher -> number of principal components that replace its values.
    """

    teachers: tuple[str, ...] = ()
    student: StudentSettings = field(default_factory=StudentSettings)
    objective: ObjectiveSettings = field(default_factory=MutualInformationSettings)
    plan: Plan = field(default_factory=Plan)
    standardize: chem.Standardization = "none"
    split: Split = "random"
    valid_fraction: float = 0.05
    bank_dtype: StoreAs = "auto"
    pca: Mapping[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        if self.split not in get_args(Split):
            raise ConfigError(f"split is one of {get_args(Split)}, not {self.split!r}")
        if not 0 < self.valid_fraction < 1:
            raise ConfigError(f"valid_fraction must lie in (0, 1), not {self.valid_fraction}")


@dataclass(frozen=True, slots=True)
class Distilled:
    """What a distillation gives.

    Attributes:
        student: trained, on the CPU, in evaluation mode.
        information: teacher -> what the student knows about it.
        history: one record of losses per epoch.
        failures: row -> why the molecule could not be used.
    """

    student: GineStudent
    information: Mapping[str, Information]
    history: Sequence[Mapping[str, float]]
    failures: Mapping[int, str]


def distill(
    smiles: Sequence[object],
    teachers: Sequence[Teacher[Any]],
    output: str | Path,
    settings: DistillSettings | None = None,
    *,
    bank: str | Path | None = None,
    device: str = "auto",
    jobs: int = 1,
    progress: bool = True,
) -> Distilled:
    """Distils teachers into a student; run again after a kill, it resumes.

    Args:
        smiles: molecules as SMILES, one per row; rows that cannot be read are left out and
            reported.
        teachers: at least one.
        output: folder for the student, its model card, metrics, plots and checkpoints.
        settings: see `DistillSettings`.
        bank: folder of the teacher embeddings, to share between runs; in `output` by default.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps", for the student.
        jobs: processes for teachers and molecules.
        progress: whether to show progress bars.

    Raises:
        ConfigError: settings contradict each other or the data.
        StaleBankError: the bank folder holds other molecules or teachers.
        OutputError: the disk is full; run again to resume.
    """
    settings = settings or DistillSettings()
    settings = replace(settings, teachers=tuple(teacher.card.name for teacher in teachers))
    _refuse_strangers(settings)
    folder = Path(output)
    items, failures = _standardized(smiles, settings.standardize, jobs, progress=progress)
    stored = _bank(
        Path(bank) if bank else folder / "bank", items, failures, teachers, settings, jobs, progress
    )
    graphs = _graphs(items, failures, jobs, progress=progress)
    corpus = _corpus(stored, settings.teachers, graphs, settings)
    student = students.make(settings.student, seed=settings.plan.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.plan.seed)
        objective = objectives.make(settings.objective, student.feature_spec, corpus.reader.specs)
    distiller = Distiller(student, objective, settings.plan, device=device)
    history = distiller.fit(corpus, folder=folder, progress=progress)
    information = _information(student, stored, corpus, settings, progress=progress)
    student = student.cpu()
    result = Distilled(student, information, history, {**graphs.failures, **failures})
    report.write(
        folder,
        student,
        report.Run(
            cards=[stored.cards[name] for name in corpus.reader.specs],
            information=information,
            history=history,
            unit=objective.unit,
            settings=asdict(settings),
            rows={"molecules": len(items), "train": len(corpus.train), "valid": len(corpus.valid)},
            corpus_digest=corpus.digest,
        ),
    )
    return result


def _refuse_strangers(settings: DistillSettings) -> None:
    """Refuses settings for teachers that are not there, before any work is done."""
    objectives.objective_type(settings.objective.name).check(settings.objective, settings.teachers)
    for name in settings.pca:
        if name not in settings.teachers:
            known = ", ".join(settings.teachers)
            raise ConfigError(f"pca: {name!r} is not among the teachers, which are {known}")


def _standardized(
    smiles: Sequence[object], level: chem.Standardization, jobs: int, *, progress: bool
) -> tuple[list[str], dict[int, str]]:
    """Canonical SMILES of all rows, and row -> reason where there is none."""
    items: list[str] = []
    failures: dict[int, str] = {}
    function = functools.partial(chem.standardize_all, level=level)
    for texts, failed in _mapped(function, smiles, jobs, "molecules", progress=progress):
        failures.update({row + len(items): reason for row, reason in failed.items()})
        items += texts
    return items, failures


def _bank(
    path: Path,
    items: Sequence[str],
    failures: Mapping[int, str],
    teachers: Sequence[Teacher[Any]],
    settings: DistillSettings,
    jobs: int,
    progress: bool,
) -> Bank:
    """Builds the bank: teachers on a GPU in this process, all others in `jobs` processes."""
    build = functools.partial(
        banks.build,
        path,
        items,
        errors=failures,
        preparation=settings.standardize,
        dtype=settings.bank_dtype,
        prepare=_parsed,
        progress=progress,
    )
    on_gpu = [t for t in teachers if str(getattr(t, "device", "cpu")) != "cpu"]
    if on_gpu:
        build(on_gpu, jobs=1)
    build([t for t in teachers if t not in on_gpu], jobs=jobs)
    return Bank.open(path, items=items, teachers=settings.teachers)


def _graphs(
    items: Sequence[str], failures: Mapping[int, str], jobs: int, *, progress: bool
) -> Graphs:
    readable = [None if row in failures else item for row, item in enumerate(items)]
    parts = _mapped(GineStudent.prepare, readable, jobs, "graphs", progress=progress)
    return Graphs.concatenate(list(parts))


def _mapped(function: Any, items: Sequence[Any], jobs: int, what: str, *, progress: bool) -> Any:
    """Applies a function to chunks of items, in order, with a progress bar."""
    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    jobs = min(jobs, len(chunks))
    bar = tqdm(total=len(items), unit=" items", desc=what, disable=not progress)
    with bar:
        for chunk, result in zip(chunks, ordered_map(function, chunks, jobs=jobs), strict=True):
            bar.update(len(chunk))
            yield result


def _parsed(items: Sequence[str]) -> list[Any]:
    """Reads canonical SMILES once for all teachers of a block."""
    return [chem.parse(item) for item in items]


def _corpus(
    bank: Bank, names: Sequence[str], graphs: Graphs, settings: DistillSettings
) -> Corpus[Graphs]:
    """Splits the usable rows and fits the scalings of all teachers on the training rows."""
    known = np.zeros(len(bank), dtype=np.bool_)
    for name in names:
        if not bank.valid(name).any():
            reasons = [why for row, why in bank.failures(name).items() if row not in bank.errors]
            raise ConfigError(
                f"teacher {name!r} could embed none of {len(bank)} molecules "
                f"({reasons[0] if reasons else 'no reason given'}): leave it out"
            )
        known |= bank.valid(name)
    known[list(graphs.failures)] = False
    rows = np.flatnonzero(known)
    split = splits.random_split if settings.split == "random" else splits.scaffold_split
    train, valid = split(
        [bank.items[row] for row in rows.tolist()],
        fraction=settings.valid_fraction,
        seed=settings.plan.seed,
    )
    train, valid = rows[train], rows[valid]
    reader = _reader(bank, names, train, settings.objective, settings.pca)
    sides = [hashlib.sha256(side.tobytes()).hexdigest() for side in (train, valid)]
    digest = digest_of([bank.digest, sides, asdict(settings.objective), dict(settings.pca)])
    return Corpus(graphs, reader, train, valid, digest)


def _reader(
    bank: Bank,
    names: Iterable[str],
    train: Rows,
    objective: ObjectiveSettings,
    pca: Mapping[str, int],
) -> TargetReader:
    """Fits the scaling of each teacher on the training rows, in the form the objective reads."""
    scalings: dict[str, Scaling] = {}
    for name in names:
        form = "pca" if name in pca else objectives.target_form(objective, bank.cards[name])
        scalings[name] = fit_scaling(bank, name, train, form=form, components=pca.get(name, 1))
    return TargetReader(bank, scalings)


def _information(
    student: GineStudent,
    bank: Bank,
    corpus: Corpus[Graphs],
    settings: DistillSettings,
    *,
    progress: bool,
) -> dict[str, Information]:
    """Estimates, on a sample of rows, what the student knows about each teacher.

    Bits and counts are modelled as they are, whatever the objective read, so that the figures of
    different objectives can be compared.
    """
    seed = settings.plan.seed
    form = MutualInformationSettings()
    reader = _reader(bank, corpus.reader.specs, corpus.train, form, settings.pca)
    samples = (
        _sample(corpus.train, _REPORT_TRAIN, seed),
        _sample(corpus.valid, _REPORT_VALID, seed),
    )
    train, valid = (
        Embeddings(rows, student.encode(corpus.prepared.select(rows)).values) for rows in samples
    )
    estimator = EstimatorSettings(seed=seed)
    return estimate(reader, train=train, valid=valid, settings=estimator, progress=progress)


def _sample(rows: Rows, most: int, seed: int) -> Rows:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
