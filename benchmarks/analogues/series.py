"""Series: actives of one target that share a scaffold, as a medicinal chemist reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molkd.benchmarks.quality import leakage
from molkd.benchmarks.tasks import molecule_keys
from molkd.benchmarks.tasks.task import Task
from molkd.errors import InputError
from molkd.runtime.progress import Progress

MOST_NM = 1000.0
"""Ki or EC50, in nM, up to which a molecule is active."""

LEAST_RINGS = 3
"""Rings of the smallest scaffold: a phenyl with a pyridine is shared by strangers."""

LEAST_MEMBERS = 5
"""Actives of the smallest series."""

LIMITS = {"most_nm": MOST_NM, "least_rings": LEAST_RINGS, "least_members": LEAST_MEMBERS}
"""What the definition of `Tables.of` takes for granted, for records."""


@dataclass(frozen=True, slots=True)
class Series:
    """Close analogues.

    Attributes:
        target: name of the task.
        scaffold: of Bemis and Murcko, without stereochemistry: rings and what links them.
        members: SMILES as in the table; of stereoisomers and charge states the first.
    """

    target: str
    scaffold: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """What is read from the tables of all targets.

    Attributes:
        series: those that are asked, by target and scaffold.
        skeletons: of all molecules of the tables, whether active or not; see `leakage.skeletons`.
    """

    series: tuple[Series, ...]
    skeletons: frozenset[str]

    @classmethod
    def of(cls, tasks: Sequence[Task], *, jobs: int = 1, progress: bool = False) -> Tables:
        """Collects the series of MoleculeACE's tables, whose labels are -log10 of nM.

        The definition knows no similarity, so that none is favoured by being it. A scaffold that
        several targets have counts once, with the target that has most of its actives: else the
        same molecules would be several independent observations.

        Args:
            tasks: of the targets.
            jobs: worker processes.
            progress: whether to show progress.

        Raises:
            InputError: there is no series.
        """
        by_scaffold: dict[str, list[Series]] = {}
        everything: set[str] = set()
        total = sum(len(task.items) for task in tasks)
        with Progress("series", total, unit="molecules", shown=progress) as bar:
            for task in tasks:
                skeletons = leakage.skeletons(list(map(str, task.items)), jobs=jobs)
                everything.update(skeletons)
                for series in _of_target(task, skeletons):
                    by_scaffold.setdefault(series.scaffold, []).append(series)
                bar.update(len(skeletons))
        largest = [max(same, key=lambda one: len(one.members)) for same in by_scaffold.values()]
        order = sorted(_enough(largest), key=lambda one: (one.target, one.scaffold))
        return cls(tuple(order), frozenset(everything - {""}))


def of_readable(series: Iterable[Series], readable: set[str]) -> list[Series]:
    """Returns the series without members that some embedder cannot read; small ones are left out.

    Raises:
        InputError: none is left.
    """
    left = [
        Series(one.target, one.scaffold, tuple(text for text in one.members if text in readable))
        for one in series
    ]
    return _enough(left)


def _enough(series: Iterable[Series]) -> list[Series]:
    """Those with enough members."""
    enough = [one for one in series if len(one.members) >= LEAST_MEMBERS]
    if not enough:
        raise InputError(
            f"no series is left: expected {LEAST_MEMBERS} actives of one target, at most "
            f"{MOST_NM:,.0f} nM, with one scaffold of {LEAST_RINGS} rings, which all embedders read"
        )
    return enough


def _of_target(task: Task, skeletons: Sequence[str]) -> list[Series]:
    active = (task.labels[:, 0] >= -np.log10(MOST_NM)).tolist()
    first: dict[str, str] = {}
    for item, skeleton, chosen in zip(task.items, skeletons, active, strict=True):
        if chosen and skeleton:
            first.setdefault(skeleton, str(item))
    members: dict[str, list[str]] = {}
    for smiles in first.values():
        members.setdefault(molecule_keys.scaffold(smiles), []).append(smiles)
    return [
        Series(task.name, scaffold, tuple(own))
        for scaffold, own in members.items()
        if len(own) >= LEAST_MEMBERS and _rings(scaffold) >= LEAST_RINGS
    ]


def _rings(scaffold: str) -> int:
    mol = Chem.MolFromSmiles(scaffold)
    return 0 if mol is None else mol.GetRingInfo().NumRings()
