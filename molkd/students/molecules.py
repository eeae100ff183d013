"""What students of molecules share: what reads for them, and what they were distilled from."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from torch import Tensor

from molkd.items.molecules import chem, versions
from molkd.items.molecules.graph import Graphs
from molkd.runtime.files import write_bytes
from molkd.students.base import BatchT, PackedT, Student
from molkd.students.domain import Domain
from molkd.students.familiarity import (
    FILE,
    UNTOLD,
    Environments,
    Familiarity,
    Known,
    never_met,
)
from molkd.students.pretrained import SavedStudent
from molkd.types import Matrix

DOMAIN = "domain.json"
"""File of what a student was distilled from, in its folder."""


class MoleculeStudent(Student[chem.Molecule, PackedT, BatchT]):
    """A student that reads packed graphs, among other things perhaps.

    Attributes:
        domain: what it was distilled from, where that is known.
    """

    modality: ClassVar[str] = "molecules"
    domain: Domain | None = None
    _familiarity: Familiarity | None = None

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

    @property
    def familiarity(self) -> Familiarity | None:
        """What is kept of its corpus beside it; None where nothing is.

        Raises:
            CorruptFileError: the file is damaged, or was made for another student.
        """
        if self._familiarity is None and self.folder and (self.folder / FILE).is_file():
            self._familiarity = Familiarity.read(self.folder / FILE, self.digest)
        return self._familiarity

    def corpus_digest(self) -> str:
        """Returns the digest of what is kept of its corpus: changes whenever `known` may."""
        found = hashlib.sha256()
        if self.domain is not None:
            found.update(self.domain.as_json())
        if self.familiarity is not None:
            found.update(self.familiarity.as_bytes())
        return found.hexdigest()

    @property
    def reach(self) -> float | None:
        """The magnitude that int8 reaches to, see `Familiarity`; None where that is not known."""
        reach = np.nan if self.familiarity is None else self.familiarity.reach
        return reach if np.isfinite(reach) else None

    def known(
        self, prepared: PackedT, values: Matrix, environments: Environments | None = None
    ) -> Known:
        """Returns how familiar molecules are to it; see `molkd.students.familiarity`.

        Args:
            prepared: n items.
            values: shape (n, d), their embeddings.
            environments: of the same items, where they were looked up already.
        """
        outside = self.outside(prepared)
        if self.familiarity is None:
            scores = np.full(len(values), np.nan)
            scores[list(outside)] = 0.0
            there = np.isfinite(values).all(axis=1)
            reasons: list[str | None] = [UNTOLD] * len(values)
            for row in np.flatnonzero(~there).tolist():
                reasons[row] = None
            for row, what in outside.items():
                reasons[row] = never_met(what)
            return Known(scores, reasons)
        if environments is None:
            environments = self.familiarity.environments(self.graphs_of(prepared))
        return self.familiarity.known(environments, values, outside)

    def remember_familiar(self, prepared: PackedT, values: Matrix, folder: Path) -> None:
        """Writes beside the student what its corpus was like, where that is large enough.

        Args:
            prepared: the corpus, or a sample of it.
            values: shape (n, d), the embeddings.
            folder: of the student.
        """
        made = Familiarity.of(self.graphs_of(prepared), values, self.digest)
        if made is not None:
            write_bytes(folder / FILE, made.as_bytes())
