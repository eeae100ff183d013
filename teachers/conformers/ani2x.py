"""ANI-2x: an interatomic potential, trained on energies of density functional theory.

Source: Devereux et al. 2020, https://doi.org/10.1021/acs.jctc.0c00121, network 0 of the eight of
https://github.com/isayev/ASE_ANI.
"""

from __future__ import annotations

import os
from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar

import torch
from rdkit import Chem
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import VERSIONS
from molkd.teachers.base.weights import WeightFile, load_npz
from molkd.teachers.conformers import aev
from molkd.teachers.conformers.teacher import ConformerTeacher
from molkd.types import Matrix, TeacherCard

COMMIT = "129f8ac"
REPOSITORY = "isayev/ASE_ANI"
WEIGHTS = WeightFile(
    path="ani-2x/member0.npz",
    sha256="1f522af4a2deb4ec774d7431fd210113ed695a9b5f28316799f00eb5915637e9",
    origin=(
        f"ani_models/ani-2x_8x/train0 of https://github.com/{REPOSITORY} at {COMMIT} to npz, "
        "arrays named element.layer.weight and element.layer.bias"
    ),
)
HIDDEN = {
    "H": (256, 192, 160),
    "C": (224, 192, 160),
    "N": (192, 160, 128),
    "O": (192, 160, 128),
    "S": (160, 128, 96),
    "F": (160, 128, 96),
    "Cl": (160, 128, 96),
}
"""Element -> widths of its hidden layers, in the order of `aev.ELEMENTS`."""


class AtomNetwork(nn.Module):
    """The network of one element: three hidden layers with CELU, then the atom's energy."""

    def __init__(self, element: str) -> None:
        super().__init__()
        widths = (aev.WIDTH, *HIDDEN[element], 1)
        self.layers = nn.ModuleList(nn.Linear(*ends) for ends in pairwise(widths))

    def forward(self, environments: Tensor, depth: int) -> Tensor:
        """Returns what the hidden layer of this depth, from 1, says; of depth 4 energies."""
        states = environments
        for place, layer in enumerate(self.layers[:depth], 1):
            states = layer(states)
            if place < len(self.layers):
                states = nn.functional.celu(states, alpha=0.1)
        return states


class Ani2xNetwork(nn.Module):
    """A network for each element."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = nn.ModuleDict({element: AtomNetwork(element) for element in HIDDEN})

    def forward(self, atoms: aev.Environments, depth: int) -> list[Tensor]:
        """Returns the states of the atoms of each element, in the order of `aev.ELEMENTS`."""
        around = aev.vectors(atoms)
        return [
            network(around[atoms.kinds == kind], depth)
            for kind, network in enumerate(self.elements.values())
        ]


class Ani2xTeacher(ConformerTeacher):
    """The mean over atoms of a hidden layer, in which each element has dimensions of its own.

    Attributes:
        layer: depth of the hidden layer, from 1 to 3. The middle one is the default: on the
            training molecules of caco2_wang a ridge explains .63 of the variance from it (five
            folds), .61 from the first, .57 from the last, which has the energy left to tell.
    """

    elements = aev.ELEMENTS
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **ConformerTeacher._parameter_constraints,  # noqa: SLF001
        "layer": [Interval(Integral, 1, 3, closed="both")],
    }

    def __init__(
        self,
        layer: int = 2,
        *,
        conformers: int = 1,
        seed: int = 0,
        weights_dir: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        batch_size: int = 1,
        on_invalid: OnInvalid = "error",
    ) -> None:
        super().__init__(
            conformers=conformers,
            seed=seed,
            weights_dir=weights_dir,
            device=device,
            batch_size=batch_size,
            on_invalid=on_invalid,
        )
        self.layer = layer

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights.

        Raises:
            InvalidParameterError: no such layer.
        """
        self._validate_params()
        return TeacherCard(
            name="ani-2x",
            kind="3-D potential",
            dim=sum(widths[self.layer - 1] for widths in HIDDEN.values()),
            support="real",
            source=f"doi:10.1021/acs.jctc.0c00121; https://github.com/{REPOSITORY} at {COMMIT}",
            license="MIT",
            limits=self._limits("Trained on neutral molecules: charges and radicals do not count."),
            trained_on=(
                "Energies (wB97X/6-31G*) of 8.9 million geometries of small neutral molecules, "
                "drawn from GDB-11 and ChEMBL among others. Compounds of a benchmark may be among "
                "them, their labels are not."
            ),
            sha256={WEIGHTS.path: WEIGHTS.sha256},
            options={**self._options(), "layer": self.layer, "pooling": "mean, by element"},
            versions=VERSIONS,
        )

    def _build(self) -> nn.Module:
        network = Ani2xNetwork()
        network.load_state_dict(state_of(load_npz(WEIGHTS, self.weights_dir)))
        return network

    def _embed_atoms(
        self,
        network: nn.Module,
        mols: list[Chem.Mol],
        coordinates: list[Matrix],
        device: torch.device,
    ) -> Tensor:
        kinds = [[aev.ELEMENTS.index(atom.GetSymbol()) for atom in mol.GetAtoms()] for mol in mols]
        atoms = aev.environments(kinds, coordinates).to(device)
        sizes = torch.tensor([len(one) for one in kinds], device=device)
        owner = torch.arange(len(mols), device=device).repeat_interleave(sizes)
        totals = [
            states.new_zeros(len(mols), states.shape[1]).index_add(
                0, owner[atoms.kinds == kind], states
            )
            for kind, states in enumerate(network(atoms, self.layer))
        ]
        return torch.cat(totals, dim=1) / sizes.unsqueeze(1)


def state_of(arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """Renames the published arrays, whose layers count from 1."""
    state: dict[str, Tensor] = {}
    for name, value in arrays.items():
        element, layer, tensor = name.split(".")
        state[f"elements.{element}.layers.{int(layer) - 1}.{tensor}"] = value
    return state
