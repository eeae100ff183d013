"""Teachers that embed one molecule at a time: one that fails costs its own row, with a reason."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from molkd.errors import ShapeError
from molkd.teachers.base.molecules import MoleculeTeacher
from molkd.types import Matrix

Encoder = Callable[[Chem.Mol], npt.ArrayLike]
"""Molecule -> its row, of shape (d,)."""


class PerMoleculeTeacher(MoleculeTeacher):
    """A teacher whose molecules are independent calls into a toolkit."""

    @abstractmethod
    def _encoder(self) -> Encoder:
        """Returns what embeds a molecule, ready for a batch."""

    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        return self._try(mols)[0]

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        encode = self._encoder()
        values = np.full((len(mols), self.card.dim), np.nan, dtype=np.float32)
        return values, fill(values, mols, encode)


def fill(values: Matrix, mols: list[Chem.Mol], encode: Encoder) -> dict[int, str]:
    """Writes the rows of molecules into `values`; returns reasons for those that fail.

    Raises:
        ShapeError: a row has another width; that is no fault of the molecule.
    """
    reasons: dict[int, str] = {}
    for row, mol in enumerate(mols):
        try:
            vector = np.asarray(encode(mol), dtype=np.float32)
        except Exception as error:  # noqa: BLE001 - toolkits raise bare C++ exceptions
            reasons[row] = summary(error)
        else:
            if vector.shape != values[row].shape:
                raise ShapeError(f"expected a row of shape {values[row].shape}, got {vector.shape}")
            values[row] = vector
    return reasons


def summary(error: Exception) -> str:
    """Returns the kind of an error and the first two of its lines that say something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" *\t")]
    return ": ".join([type(error).__name__, *lines[:2]])
