"""What teachers that read conformers share: which ones, of which molecules, and their average."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from rdkit import Chem
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from molkd.items.molecules import chem
from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import NetworkTeacher
from molkd.teachers.base.per_molecule import summary
from molkd.teachers.conformers import geometry
from molkd.types import Matrix


class ConformerTeacher(NetworkTeacher):
    """A network over atoms in space, averaged over conformers.

    Attributes:
        conformers: how many are averaged. Time grows with it; how much noise is left says
            `molkd teachers noise`.
        seed: number of the first conformer; the others follow it.
        batch_size: see `NetworkTeacher`. Of one molecule by default: no slower on a processor, and
            a row then has the same bits in any company.
    """

    elements: ClassVar[Sequence[str]]
    """What the network knows."""

    _not_loaded: ClassVar[frozenset[str]] = NetworkTeacher._not_loaded | {"conformers", "seed"}  # noqa: SLF001
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkTeacher._parameter_constraints,  # noqa: SLF001
        "conformers": [Interval(Integral, 1, None, closed="left")],
        "seed": [Interval(Integral, 0, 1 << 30, closed="left")],
    }

    def __init__(
        self,
        *,
        conformers: int = 1,
        seed: int = 0,
        weights_dir: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        batch_size: int = 1,
        on_invalid: OnInvalid = "error",
    ) -> None:
        super().__init__(
            weights_dir=weights_dir, device=device, batch_size=batch_size, on_invalid=on_invalid
        )
        self.conformers = conformers
        self.seed = seed

    @abstractmethod
    def _embed_atoms(
        self,
        network: nn.Module,
        mols: list[Chem.Mol],
        coordinates: list[Matrix],
        device: torch.device,
    ) -> Tensor:
        """Embeds geometries, one for each entry of both lists; shape (len(mols), card.dim).

        Args:
            network: what `_build` gave.
            mols: with hydrogens.
            coordinates: of the atoms of each, shape (atoms, 3), in Å.
            device: of the network.
        """

    def _limits(self, more: str) -> str:
        return (
            f"Cannot embed elements other than {', '.join(self.elements)}, more than "
            f"{geometry.MAX_HEAVY_ATOMS} heavy atoms, nor what RDKit makes no conformer of. Parts "
            f"of a compound do not see each other; centres left open are drawn. {more}"
        )

    def _options(self) -> dict[str, object]:
        """What a card says about conformers."""
        return {
            "conformers": self.conformers,
            "geometry": "ETKDGv3, MMFF94 or UFF",
            "seed": self.seed,
        }

    def _refuse(self, mol: Chem.Mol) -> str | None:
        heavy = mol.GetNumHeavyAtoms()
        if heavy > geometry.MAX_HEAVY_ATOMS:
            return f"{heavy} heavy atoms, more than the {geometry.MAX_HEAVY_ATOMS} of a conformer"
        unknown = {atom.GetSymbol() for atom in mol.GetAtoms()} - {*self.elements}
        return f"elements unknown to the model: {', '.join(sorted(unknown))}" if unknown else None

    def _try(self, mols: list[Chem.Mol]) -> tuple[Matrix, Mapping[int, str]]:
        """Embeds each compound once, however often it comes."""
        self._validate_params()
        once = {chem.canonical_smiles(mol): mol for mol in mols}
        values, reasons = self._try_different(list(once.values()))
        places = {smiles: place for place, smiles in enumerate(once)}
        origin = [places[chem.canonical_smiles(mol)] for mol in mols]
        return values[origin], {
            row: reasons[place] for row, place in enumerate(origin) if place in reasons
        }

    def _try_different(self, mols: list[Chem.Mol]) -> tuple[Matrix, dict[int, str]]:
        values = np.full((len(mols), self.card.dim), np.nan, dtype=np.float32)
        numbers = range(self.seed, self.seed + self.conformers)
        embedded: dict[int, Chem.Mol] = {}
        reasons: dict[int, str] = {}
        for row, mol in enumerate(mols):
            try:
                found = geometry.with_conformers(mol, numbers)
            except Exception as error:  # noqa: BLE001 - RDKit raises bare C++ exceptions
                found = summary(error)
            if isinstance(found, str):
                reasons[row] = found
            else:
                embedded[row] = found
        if embedded:
            values[list(embedded)] = self._compute(list(embedded.values()))
        for row in embedded:
            if not np.isfinite(values[row]).all():
                values[row] = np.nan
                reasons[row] = "the network gives no finite numbers for its conformer"
        return values, reasons

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        coordinates = [
            where.astype(np.float32) for mol in mols for where in geometry.positions(mol)
        ]
        repeated = [mol for mol in mols for _ in range(self.conformers)]
        rows = self._embed_atoms(network, repeated, coordinates, device)
        return rows.view(len(mols), self.conformers, -1).mean(dim=1)
