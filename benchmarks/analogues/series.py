"""Series: actives of one target that share a scaffold or its shape, as a chemist reads them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

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

Definition = Literal["scaffold", "framework"]
"""What the members of a series share.

With "scaffold" they have one Bemis-Murcko scaffold, without stereochemistry: rings and what links
them. With "framework" each has another scaffold of one framework, the scaffold with all atoms and
bonds alike: an aza for a CH, an ether for an amine.
"""

LIMITS = {"most_nm": MOST_NM, "least_rings": LEAST_RINGS, "least_members": LEAST_MEMBERS}
"""What the definition of `Tables.of` takes for granted, for records."""


@dataclass(frozen=True, slots=True)
class Series:
    """Close analogues.

    Attributes:
        target: name of the task.
        shared: SMILES of the scaffold or framework; see `Definition`.
        members: SMILES as in the table; of stereoisomers and charge states the first.
    """

    target: str
    shared: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """What is read from the tables of all targets.

    Attributes:
        series: those that are asked, by target and what they share.
        scaffolds: of their members.
        skeletons: of all molecules of the tables, whether active or not; see `leakage.skeletons`.
    """

    series: tuple[Series, ...]
    scaffolds: frozenset[str]
    skeletons: frozenset[str]

    @classmethod
    def of(
        cls,
        tasks: Sequence[Task],
        *,
        by: Definition = "scaffold",
        jobs: int = 1,
        progress: bool = False,
    ) -> Tables:
        """Collects the series of MoleculeACE's tables, whose labels are -log10 of nM.

        The definition knows no similarity, so that none is favoured by being it. What several
        targets share counts once, with the target that has most of its actives: else the same
        molecules would be several independent observations.

        Args:
            tasks: of the targets.
            by: what members share.
            jobs: worker processes.
            progress: whether to show progress.

        Raises:
            InputError: there is no series.
        """
        groups: dict[str, list[Series]] = {}
        everything: set[str] = set()
        total = sum(len(task.items) for task in tasks)
        with Progress("series", total, unit="molecules", shown=progress) as bar:
            for task in tasks:
                skeletons = leakage.skeletons(list(map(str, task.items)), jobs=jobs)
                everything.update(skeletons)
                for series in _of_target(task, skeletons, by):
                    groups.setdefault(series.shared, []).append(series)
                bar.update(len(skeletons))
        largest = [max(same, key=lambda one: len(one.members)) for same in groups.values()]
        order = sorted(_enough(largest), key=lambda one: (one.target, one.shared))
        members = [text for one in order for text in one.members]
        scaffolds = frozenset(map(molecule_keys.scaffold, members))
        return cls(tuple(order), scaffolds, frozenset(everything - {""}))


def of_readable(series: Iterable[Series], readable: set[str]) -> list[Series]:
    """Returns the series without members that some embedder cannot read; small ones are left out.

    Raises:
        InputError: none is left.
    """
    left = [
        replace(one, members=tuple(text for text in one.members if text in readable))
        for one in series
    ]
    return _enough(left)


def _enough(series: Iterable[Series]) -> list[Series]:
    """Those with enough members."""
    enough = [one for one in series if len(one.members) >= LEAST_MEMBERS]
    if not enough:
        raise InputError(
            f"no series is left: expected {LEAST_MEMBERS} actives of one target, at most "
            f"{MOST_NM:,.0f} nM, of one series of {LEAST_RINGS} rings, which all embedders read"
        )
    return enough


def _of_target(task: Task, skeletons: Sequence[str], by: Definition) -> list[Series]:
    active = (task.labels[:, 0] >= -np.log10(MOST_NM)).tolist()
    first: dict[str, str] = {}
    for item, skeleton, chosen in zip(task.items, skeletons, active, strict=True):
        if chosen and skeleton:
            first.setdefault(skeleton, str(item))
    members: dict[str, dict[str, str]] = {}
    for smiles in first.values():
        scaffold = molecule_keys.scaffold(smiles)
        if by == "scaffold":
            members.setdefault(scaffold, {})[smiles] = smiles
        else:
            members.setdefault(framework(scaffold), {}).setdefault(scaffold, smiles)
    return [
        Series(task.name, shared, tuple(own.values()))
        for shared, own in members.items()
        if len(own) >= LEAST_MEMBERS and _rings(shared) >= LEAST_RINGS
    ]


@functools.lru_cache(maxsize=1 << 16)
def framework(scaffold: str) -> str:
    """Returns a scaffold with carbon for every atom and single for every bond, without what hangs.

    Source: Bemis and Murcko 1996, "The properties of known drugs. 1. Molecular frameworks".
    """
    mol = Chem.RWMol(Chem.MolFromSmiles(scaffold, sanitize=False))
    while hanging := [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetDegree() < 2]:
        for index in reversed(hanging):
            mol.RemoveAtom(index)
    shape = Chem.RWMol()
    for _ in mol.GetAtoms():
        shape.AddAtom(Chem.Atom(6))
    for bond in mol.GetBonds():
        shape.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    return Chem.MolToSmiles(shape)


def _rings(shared: str) -> int:
    """As many as bonds that can be cut until no ring is left."""
    mol = Chem.MolFromSmiles(shared, sanitize=False)
    return mol.GetNumBonds() - mol.GetNumAtoms() + len(Chem.GetMolFrags(mol))
