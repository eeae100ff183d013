"""Teachers that embed one molecule at a time: one that fails costs its own row, with a reason."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from molkd.teachers.base import MoleculeTeacher

Encoder = Callable[[Chem.Mol], npt.ArrayLike]
"""Molecule -> its row, of shape (d,)."""


class RowwiseTeacher(MoleculeTeacher):
    """A teacher whose molecules are independent calls into a toolkit."""

    @abstractmethod
    def _encoder(self) -> Encoder:
        """Returns what embeds a molecule, ready for a batch."""

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        encode = self._encoder()
        values = np.full((len(mols), self.card.dim), np.nan, dtype=np.float32)
        reasons: dict[int, str] = {}
        for row, mol in enumerate(mols):
            try:
                values[row] = encode(mol)
            except Exception as error:  # noqa: BLE001 - toolkits raise bare C++ exceptions
                reasons[row] = f"{self.card.name}: {_summary(error)}"
        return values, reasons

    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        return self._try(mols)[0]


def _summary(error: Exception) -> str:
    """Returns the first line of an error that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" *\t")]
    return lines[0] if lines else type(error).__name__
