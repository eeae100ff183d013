"""CSP5: graph networks over conformers, trained on chemical shifts of NMR, from the package `csp5`.

Source: https://pypi.org/project/csp5/0.3.1. Its tensors are read; its code is not run.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar, Literal, cast

import torch
from rdkit import Chem
from sklearn.utils._param_validation import StrOptions
from torch import Tensor, nn

from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import VERSIONS
from molkd.teachers.base.weights import WeightFile, load_torch
from molkd.teachers.conformers.painn import UNITS, PaiNN, neighbourhoods
from molkd.teachers.conformers.teacher import ConformerTeacher
from molkd.types import Matrix, TeacherCard

Nucleus = Literal["13C", "1H", "19F"]

PACKAGE = "--no-deps csp5==0.3.1"
SHA256: dict[Nucleus, str] = {
    "13C": "b80f49a8d0486845a26e653386310d5e8d2c0f26b56d0fe5e4b2b4359a7fe39b",
    "1H": "4802ff63726e27f57a56dfd5814fef7257a65f01bda75bbbc87ba790778c65d7",
    "19F": "8fcded0f5823a8846287a5ecc0a4476183d30ba98515104a8c8d393870d1183d",
}
_NAMES = ("C", "O", "H", "N", "Cl", "S", "Br", "F", "I", "Si", "P")
TOKENS = {element: token for token, element in enumerate(_NAMES, 2)}
"""All other elements are one and the same to the original; here they are refused."""

HEADS = ("mlp.", "solvent_")
"""Tensors that turn states into shifts in a solvent, which is not done here."""


class Csp5Teacher(ConformerTeacher):
    """The mean state of heavy atoms beside that of hydrogens; of none it is 0.

    Attributes:
        nucleus: whose shifts the network predicts.
    """

    elements = tuple(TOKENS)
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **ConformerTeacher._parameter_constraints,  # noqa: SLF001
        "nucleus": [StrOptions(set(SHA256))],
    }

    def __init__(
        self,
        nucleus: Nucleus = "13C",
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
        self.nucleus: Nucleus = nucleus

    @property
    def weights(self) -> WeightFile:
        """The published file.

        Raises:
            InvalidParameterError: no such nucleus.
        """
        self._validate_params()
        path = f"csp5/models/CSP5-{self.nucleus}/best_model.pt"
        return WeightFile(path, SHA256[self.nucleus], package=PACKAGE)

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        weights = self.weights
        return TeacherCard(
            name="csp5" if self.nucleus == "13C" else f"csp5-{self.nucleus.lower()}",
            kind="3-D graph network",
            dim=2 * UNITS,
            support="real",
            source=f"https://pypi.org/project/csp5/0.3.1 (model CSP5-{self.nucleus})",
            license="MIT (the package; nothing is stated of the weights)",
            limits=self._limits("Single atoms (ions), of which the network makes no numbers."),
            trained_on=(
                f"{self.nucleus} chemical shifts of the literature, with their solvents (NMRexp, "
                "as the code names them; there is no list). Compounds of a benchmark may be among "
                "them, their labels are not."
            ),
            sha256={weights.path: weights.sha256},
            options={**self._options(), "pooling": "means of heavy atoms and hydrogens"},
            versions=VERSIONS,
        )

    def _refuse(self, mol: Chem.Mol) -> str | None:
        refused = super()._refuse(mol)
        if refused is None and any(_is_alone(atom) for atom in mol.GetAtoms()):
            return "an atom without neighbours, of which the model makes no numbers"
        return refused

    def _build(self) -> nn.Module:
        network = PaiNN()
        state = load_torch(self.weights, self.weights_dir)
        network.load_state_dict(
            {name: value for name, value in state.items() if not name.startswith(HEADS)}
        )
        return network

    def _embed_atoms(
        self,
        network: nn.Module,
        mols: list[Chem.Mol],
        coordinates: list[Matrix],
        device: torch.device,
    ) -> Tensor:
        tokens = [[TOKENS[atom.GetSymbol()] for atom in mol.GetAtoms()] for mol in mols]
        atoms = neighbourhoods(tokens, coordinates).to(device)
        states = cast("Tensor", network(atoms))
        sizes = torch.tensor([len(one) for one in tokens], device=device)
        owner = torch.arange(len(mols), device=device).repeat_interleave(sizes)
        group = 2 * owner + (atoms.tokens == TOKENS["H"])
        total = states.new_zeros(2 * len(mols), UNITS).index_add(0, group, states)
        count = group.bincount(minlength=2 * len(mols)).clamp(min=1)
        return (total / count.unsqueeze(1)).view(len(mols), 2 * UNITS)


def _is_alone(atom: Chem.Atom) -> bool:
    return atom.GetDegree() == 0 and atom.GetTotalNumHs() == 0
