"""The graph networks of Hu et al. (2020), "Strategies for Pre-training Graph Neural Networks".

Nine teachers: GCN, GraphSAGE and GAT, pretrained by context prediction, by supervised tasks or by
both. Source: https://arxiv.org/abs/1905.12265, https://github.com/snap-stanford/pretrain-gnns.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar, Literal

import torch
from sklearn.utils._param_validation import StrOptions
from torch import Tensor, nn
from torch_geometric.utils import softmax

from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import VERSIONS
from molkd.teachers.base.weights import WeightFile, load_torch
from molkd.teachers.graphs import atom_bond_graph as abg
from molkd.teachers.graphs.atom_bond_teacher import AtomBondTeacher
from molkd.types import TeacherCard

Architecture = Literal["gat", "gcn", "graphsage"]
Pretraining = Literal["contextpred", "supervised", "supervised_contextpred"]

COMMIT = "8b20528a83b8869ce16451305b32c827258d19a3"
REPOSITORY = "snap-stanford/pretrain-gnns"
SHA256 = {
    "gat": {
        "contextpred": "de030068b3cb8b5d2d4da09fd377fac0a111f401904d3806104874e058bc4af8",
        "supervised": "62edee2aaf82c82e24236fe0124d93d975c4cb7b5e01280bc63050c606f64541",
        "supervised_contextpred": (
            "ad433c867915b166fbc98154d763eaa83fa53cd60bf3a3b0c2086a0ef7dc684e"
        ),
    },
    "gcn": {
        "contextpred": "ff1d9c5e5c198b8faf8af576c303808853e3f55a52aed7ae27964e3c8635a81a",
        "supervised": "8fb73bcce4991d6778e7309474505fcf2e5ff69f5debf166a5e6b91edf3f1493",
        "supervised_contextpred": (
            "49cf0465e623c14fc802cdc67b47cbb78326f43fc7991afe6a14e1ff471755d5"
        ),
    },
    "graphsage": {
        "contextpred": "63976e7795ae3ab46fc97c40a047ce1c4b13e243c2f8ef9125e78c7fabee9279",
        "supervised": "9e2572f66e4e3c6a21b1e897c642b545abc8c6cbab1d56888c37f963b0c6da4b",
        "supervised_contextpred": (
            "aca7caa7c15a0e478b57d5d2cca84d8bda6d4500614bd96486b84739bff3929b"
        ),
    },
}
"""Architecture -> pretraining -> checksum."""
BOND_TYPES = 6
ATOM_TYPES = 120
HEADS = 2
SLOPE = 0.2


class GcnLayer(abg.NeighbourSum):
    """Neighbours weighted by the inverse square root of both degrees."""

    def __init__(self) -> None:
        super().__init__(BOND_TYPES, abg.WIDTH)
        self.linear = nn.Linear(abg.WIDTH, abg.WIDTH)

    def forward(self, states: Tensor, graph: abg.AtomBondGraph) -> Tensor:
        """Returns the next states; shape (n, `WIDTH`)."""
        scale = abg.degrees(graph).rsqrt()[graph.edges].prod(0)
        near = abg.neighbourhood(graph, scale[:, None])
        return self.sum_over(near, self.linear(states), self.bond_table())


class GraphSageLayer(abg.NeighbourSum):
    """The mean over neighbours, scaled to length one."""

    def __init__(self) -> None:
        super().__init__(BOND_TYPES, abg.WIDTH)
        self.linear = nn.Linear(abg.WIDTH, abg.WIDTH)

    def forward(self, states: Tensor, graph: abg.AtomBondGraph) -> Tensor:
        """Returns the next states; shape (n, `WIDTH`)."""
        scale = abg.degrees(graph).reciprocal()[graph.edges[0]]
        near = abg.neighbourhood(graph, scale[:, None])
        mean = self.sum_over(near, self.linear(states), self.bond_table())
        return nn.functional.normalize(mean)


class GatLayer(abg.NeighbourSum):
    """Neighbours weighted by attention, the mean over two heads."""

    def __init__(self) -> None:
        super().__init__(BOND_TYPES, HEADS * abg.WIDTH)
        self.weight_linear = nn.Linear(abg.WIDTH, HEADS * abg.WIDTH)
        self.att = nn.Parameter(torch.empty(1, HEADS, 2 * abg.WIDTH))
        self.bias = nn.Parameter(torch.empty(abg.WIDTH))

    def forward(self, states: Tensor, graph: abg.AtomBondGraph) -> Tensor:
        """Returns the next states; shape (n, `WIDTH`)."""
        heads = self.weight_linear(states).view(-1, HEADS, abg.WIDTH)
        bonds = self.bond_table().view(-1, HEADS, abg.WIDTH)
        attention = self._attention(heads, bonds, graph)
        near = abg.neighbourhood(graph, attention / HEADS)
        both = self.sum_over(near, heads.flatten(0, 1), bonds.flatten(0, 1))
        return both + self.bias

    def _attention(self, heads: Tensor, bonds: Tensor, graph: abg.AtomBondGraph) -> Tensor:
        # The score of [centre, neighbour + bond] is a sum of three, none of which needs an edge.
        centre, neighbour = self.att.split(abg.WIDTH, dim=-1)
        target, source = graph.edges
        score = (
            (heads * centre).sum(-1)[target]
            + (heads * neighbour).sum(-1)[source]
            + (bonds * neighbour).sum(-1)[graph.bonds]
        )
        return softmax(nn.functional.leaky_relu(score, SLOPE), target, num_nodes=len(heads))


LAYERS: dict[str, type[nn.Module]] = {
    "gat": GatLayer,
    "gcn": GcnLayer,
    "graphsage": GraphSageLayer,
}


class PretrainedGnnTeacher(AtomBondTeacher):
    """A graph network of Hu et al. (2020): the mean over its atoms' states in the last layer.

    Attributes:
        architecture: kind of layer.
        pretraining: what the network was trained on. The two supervised GATs are weak.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **AtomBondTeacher._parameter_constraints,  # noqa: SLF001
        "architecture": [StrOptions({"gat", "gcn", "graphsage"})],
        "pretraining": [StrOptions({"contextpred", "supervised", "supervised_contextpred"})],
    }

    def __init__(
        self,
        architecture: Architecture = "gcn",
        pretraining: Pretraining = "contextpred",
        *,
        layer: int | None = None,
        weights_dir: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        batch_size: int = 128,
        on_invalid: OnInvalid = "error",
    ) -> None:
        self.architecture: Architecture = architecture
        self.pretraining: Pretraining = pretraining
        super().__init__(
            layer=layer,
            weights_dir=weights_dir,
            device=device,
            batch_size=batch_size,
            on_invalid=on_invalid,
        )

    @property
    def weights(self) -> WeightFile:
        """The published file.

        Raises:
            InvalidParameterError: no such architecture or pretraining.
        """
        self._validate_params()
        name = f"{self.architecture}_{self.pretraining}"
        root = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}"
        return WeightFile(
            path=f"pretrain-gnns/{name}.pth",
            sha256=SHA256[self.architecture][self.pretraining],
            url=f"{root}/chem/model_architecture/{name}.pth",
        )

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        weights = self.weights
        card = TeacherCard(
            name=f"hu-{self.architecture}-{self.pretraining.replace('_', '-')}",
            kind="graph network",
            dim=abg.WIDTH,
            support="real",
            source=f"arXiv:1905.12265; https://github.com/{REPOSITORY} at {COMMIT}",
            license="MIT",
            limits=abg.LIMITS,
            sha256={weights.path: weights.sha256},
            versions=VERSIONS,
        )
        return self._as_layer(card)

    def _build(self) -> nn.Module:
        network = abg.AtomBondNetwork(LAYERS[self.architecture], atom_types=ATOM_TYPES)
        network.load_state_dict(load_torch(self.weights, self.weights_dir))
        return network
