"""MolCLR's graph convolutional network, pretrained by contrastive learning.

Source: Wang et al. 2022, https://arxiv.org/abs/2102.10056, https://github.com/yuyangw/MolCLR.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from molkd.teachers.base.network import VERSIONS
from molkd.teachers.base.weights import WeightFile, load_torch
from molkd.teachers.graphs import atom_bond_graph as abg
from molkd.teachers.graphs.atom_bond_teacher import AtomBondTeacher
from molkd.types import TeacherCard

COMMIT = "3d3bc1912be27b0c97435fd9134f4d4c73d4c5ab"
REPOSITORY = "yuyangw/MolCLR"
WEIGHTS = WeightFile(
    path="molclr/pretrained_gcn.pth",
    sha256="870e4599856867f4ae9f42f188f60b4199d23c39e1f99df092f6f8d45baccf5b",
    url=(
        f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}"
        "/ckpt/pretrained_gcn/checkpoints/model.pth"
    ),
)
DIM = 512
BOND_TYPES = 5
ATOM_TYPES = 119
CONTRASTIVE_HEAD = "out_lin."
"""Weights that follow the embedding, used only for the contrastive loss."""
NEGLIGIBLE = 1e-20


class MolclrLayer(abg.NeighbourSum):
    """The plain sum over neighbours; a bond is a single number.

    The original computes the degrees' normalisation and does not use it.
    """

    def __init__(self) -> None:
        super().__init__(BOND_TYPES, 1)
        self.weight = nn.Parameter(torch.empty(abg.WIDTH, abg.WIDTH))
        self.bias = nn.Parameter(torch.empty(abg.WIDTH))

    def forward(self, states: Tensor, graph: abg.AtomBondGraph) -> Tensor:
        """Returns the next states; shape (n, `WIDTH`)."""
        near = abg.neighbourhood(graph, states.new_ones(len(graph.bonds), 1))
        return self.sum_over(near, states @ self.weight, self.bond_table()) + self.bias


class MolclrNetwork(abg.AtomBondNetwork):
    """The network up to the embedding."""

    def __init__(self) -> None:
        super().__init__(MolclrLayer, atom_types=ATOM_TYPES)
        self.feat_lin = nn.Linear(abg.WIDTH, DIM)

    def head(self, states: Tensor) -> Tensor:
        """Projects the mean of a molecule's states; shape (b, `DIM`)."""
        return cast("Tensor", self.feat_lin(states))


class MolclrTeacher(AtomBondTeacher):
    """MolCLR's GCN: the mean over atoms, projected to 512 dimensions."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        self._validate_params()
        card = TeacherCard(
            name="molclr-gcn",
            kind="graph network",
            dim=DIM,
            support="real",
            source=f"arXiv:2102.10056; https://github.com/{REPOSITORY} at {COMMIT}",
            license="MIT",
            limits=f"{abg.LIMITS} Enantiomers get nearly the same vector.",
            sha256={WEIGHTS.path: WEIGHTS.sha256},
            versions=VERSIONS,
        )
        return self._as_layer(card)

    def _build(self) -> nn.Module:
        published = load_torch(WEIGHTS, self.weights_dir)
        network = MolclrNetwork()
        network.load_state_dict(
            {
                name: flushed(value)
                for name, value in published.items()
                if not name.startswith(CONTRASTIVE_HEAD)
            }
        )
        return network


def flushed(weights: Tensor) -> Tensor:
    """Returns weights with those below `NEGLIGIBLE` set to zero.

    Half of the published ones have decayed so far that a CPU treats them, or their products, as
    subnormal numbers, which makes it ten times slower and changes no digit of the embedding.
    """
    if not weights.is_floating_point():
        return weights
    return torch.where(weights.abs() < NEGLIGIBLE, torch.zeros_like(weights), weights)
