"""What every teacher of molecules is: an estimator that embeds a list of parsed molecules.

A family implements `card`, `_compute` and, where it cannot read every molecule, `_refuse` or
`_try`. Reading SMILES and keeping rows and reasons together live here; the faces that
scikit-learn and molfeat see are in `molkd.featurizers.estimator`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem, rdBase

from molkd.failures import aligned
from molkd.featurizers.estimator import MoleculeEstimator, OnInvalid
from molkd.items.base import read_each
from molkd.items.molecules import chem
from molkd.types import Embeddings

__all__ = ["MoleculeTeacher", "OnInvalid"]


class MoleculeTeacher(MoleculeEstimator):
    """A frozen encoder of molecules that are parsed before it sees them."""

    def __init__(self, *, on_invalid: OnInvalid = "error") -> None:
        self.on_invalid = on_invalid

    @abstractmethod
    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        """Embeds molecules that were not refused; shape (len(mols), card.dim), in order."""

    def _refuse(self, mol: Chem.Mol) -> str | None:  # noqa: ARG002
        """Says why a molecule cannot be embedded, or None where it can."""
        return None

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        """Embeds like `_compute`; also says why, by position, for rows that came out NaN.

        A family overrides it where a molecule's failure only shows in the computation.
        """
        return self._compute(mols), {}

    def _read(
        self,
        items: Sequence[chem.Molecule],
        parse: Callable[[Any], Chem.Mol] = chem.parse_canonical,
    ) -> tuple[list[Chem.Mol], list[int], dict[int, str]]:
        """Returns the molecules that can be embedded, their rows, and row -> reason for others."""
        parsed, places, failures = read_each(parse, items)
        mols: list[Chem.Mol] = []
        rows: list[int] = []
        for row, mol in zip(places, parsed, strict=True):
            reason = self._refuse(mol)
            if reason is None:
                mols.append(mol)
                rows.append(row)
            else:
                failures[row] = reason
        return mols, rows, failures

    def embed(self, items: Sequence[chem.Molecule], /) -> Embeddings:
        """Embeds SMILES or RDKit molecules; see `molkd.types.Teacher`."""
        mols, rows, failures = self._read(items)
        dim = self.card.dim
        with rdBase.BlockLogs():
            computed, reasons = self._try(mols) if mols else (np.empty((0, dim)), {})
        failures.update({rows[position]: reason for position, reason in reasons.items()})
        return aligned(len(items), dim, rows, computed, failures)
