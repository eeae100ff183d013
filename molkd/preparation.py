"""From molecules and teachers to a corpus that a student can be trained on."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from molkd import bank as banks
from molkd import chem, objectives, redundancy, splits
from molkd.bank import Bank
from molkd.distiller import Corpus
from molkd.errors import ConfigError
from molkd.graph import Graphs
from molkd.live import LiveTeacher, LiveTeachers
from molkd.objectives import ObjectiveSettings
from molkd.parallel import ordered_map
from molkd.recipe import DistillSettings
from molkd.statistics import Scaling, fit_scaling
from molkd.students import GineStudent
from molkd.targets import TargetReader, fit_nodes
from molkd.teachers import as_live
from molkd.types import AtomTeacher, Rows, Teacher, digest_of

_CHUNK = 1024


def standardized(
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


def filled_bank(
    path: Path,
    items: Sequence[str],
    failures: Mapping[int, str],
    teachers: Sequence[Teacher[Any]],
    settings: DistillSettings,
    *,
    jobs: int,
    progress: bool,
) -> Bank:
    """Builds the bank: teachers on a GPU in this process, all others in `jobs` processes.

    Args:
        path: its folder.
        items: canonical SMILES.
        failures: row -> reason, for rows that no teacher is asked about.
        teachers: those to read.
        settings: what is stored, and how.
        jobs: processes.
        progress: whether to show progress bars.
    """
    on_gpu = [t for t in teachers if str(getattr(t, "device", "cpu")) != "cpu"]
    on_cpu = [t for t in teachers if t not in on_gpu]
    for some, processes in ((on_gpu, 1), (on_cpu, jobs)):
        if some:
            banks.build(
                path,
                items,
                some,
                errors=failures,
                preparation=settings.standardize,
                dtype=settings.bank_dtype,
                jobs=processes,
                prepare=_parsed,
                atoms=atom_names(some, settings),
                progress=progress,
            )
    names = [teacher.card.name for teacher in teachers]
    return Bank.open(path, items=items, teachers=names, atoms=atom_names(teachers, settings))


def atom_names(teachers: Sequence[Teacher[Any]], settings: DistillSettings) -> list[str]:
    """The teachers whose states of atoms the objective reads."""
    wanted = objectives.objective_type(settings.objective.name).wants_nodes(settings.objective)
    return [t.card.name for t in teachers if wanted and isinstance(t, AtomTeacher)]


def live_teachers(
    teachers: Sequence[Teacher[Any]], settings: DistillSettings
) -> dict[str, LiveTeacher]:
    """Makes those live that the objective asks during training.

    Raises:
        ConfigError: one of them cannot answer questions.
        WeightsError: its weights are missing.
    """
    wanted = objectives.objective_type(settings.objective.name).wants_live(settings.objective)
    return {t.card.name: as_live(t) for t in teachers if t.card.name in wanted}


def graphs_of(
    items: Sequence[str], failures: Mapping[int, str], jobs: int, *, progress: bool
) -> Graphs:
    """Reads all molecules in the form of the student; none of the rows that failed."""
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


def corpus_of(
    bank: Bank, graphs: Graphs, settings: DistillSettings, *, live: LiveTeachers | None = None
) -> Corpus[Graphs]:
    """Splits the usable rows and fits the scalings of all teachers on the training rows.

    Args:
        bank: what the teachers said.
        graphs: the same molecules as the student reads them.
        settings: how rows are split and values scaled.
        live: teachers that are asked during training.

    Raises:
        ConfigError: a teacher could embed nothing, or a split would be empty.
    """
    rows = _usable(bank, settings.teachers, graphs)
    split = splits.random_split if settings.split == "random" else splits.scaffold_split
    train, valid = split(
        [bank.items[int(row)] for row in rows],
        fraction=settings.valid_fraction,
        seed=settings.plan.seed,
    )
    train, valid = rows[train], rows[valid]
    weights = None
    if settings.weights == "redundancy":
        weights = redundancy.weights(bank, settings.teachers, train, seed=settings.plan.seed)
    nodes = {name: fit_nodes(bank, name, train) for name in bank.atom_folders}
    reader = TargetReader(
        bank,
        scalings_of(bank, settings, settings.objective, train),
        weights=weights,
        nodes=nodes,
        sizes=graphs.sizes,
        live=live,
    )
    sides = [hashlib.sha256(side.tobytes()).hexdigest() for side in (train, valid)]
    told = [asdict(settings.objective), dict(settings.pca), settings.weights, settings.winsorize]
    return Corpus(graphs, reader, train, valid, digest_of([bank.digest, sides, *told]))


def scalings_of(
    bank: Bank, settings: DistillSettings, objective: ObjectiveSettings, train: Rows
) -> dict[str, Scaling]:
    """Fits the scaling of each teacher on the training rows, in the form the objective reads."""
    scalings: dict[str, Scaling] = {}
    for name in settings.teachers:
        form = objectives.target_form(objective, bank.cards[name])
        form = "pca" if name in settings.pca else form
        bound = settings.winsorize if form == "standardized" else None
        components = settings.pca.get(name, 1)
        scalings[name] = fit_scaling(
            bank, name, train, form=form, components=components, winsorize=bound
        )
    return scalings


def _usable(bank: Bank, names: Sequence[str], graphs: Graphs) -> Rows:
    """The rows that the student can read and some teacher could embed."""
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
    return np.flatnonzero(known)
