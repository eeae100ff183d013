"""What students of molecules share: what reads for them, and what they were distilled from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

from torch import Tensor

from molkd.items.molecules import chem, versions
from molkd.items.molecules.graph import Graphs
from molkd.students.base import BatchT, PackedT, Student
from molkd.students.domain import Domain
from molkd.students.pretrained import SavedStudent

DOMAIN = "domain.json"
"""File of what a student was distilled from, in its folder."""


class MoleculeStudent(Student[chem.Molecule, PackedT, BatchT]):
    """A student that reads packed graphs, among other things perhaps.

    Attributes:
        domain: what it was distilled from, where that is known.
    """

    modality: ClassVar[str] = "molecules"
    domain: Domain | None = None

    @staticmethod
    @abstractmethod
    def graphs_of(prepared: PackedT) -> Graphs:
        """Returns the graphs of prepared items."""

    def reading_here(self) -> Mapping[str, str]:
        """RDKit's version, and digests of what it computes of a few molecules."""
        return versions.reading()

    @property
    def files(self) -> Mapping[str, bytes]:
        """What it was distilled from, where that is known."""
        return {} if self.domain is None else {DOMAIN: self.domain.as_json()}

    @classmethod
    def restore(cls, saved: SavedStudent) -> Self:
        """See `Student`."""
        student = super().restore(saved)
        student.domain = Domain.from_json(saved.text(DOMAIN)) if DOMAIN in saved.files else None
        return student

    def _like(self, config: Mapping[str, object], weights: Mapping[str, Tensor]) -> Self:
        """Builds a student that knows the same from another configuration and its weights."""
        other = type(self).build(config).to(self.device)
        other.load_state_dict(dict(weights))
        other.trained_reading = self.trained_reading
        other.domain = self.domain
        return other.train(self.training)

    def remember(self, prepared: PackedT) -> None:
        """Keeps which elements, charges and sizes there are."""
        self.domain = Domain.of(self.graphs_of(prepared))

    def outside(self, prepared: PackedT) -> Mapping[int, tuple[str, ...]]:
        """Row -> elements, charges and sizes that did not occur among those of `remember`."""
        return {} if self.domain is None else self.domain.outside(self.graphs_of(prepared))
