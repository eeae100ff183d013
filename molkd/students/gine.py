"""The molecular student: message passing over rich atom and bond features (GINE).

Source: Hu et al. 2020, "Strategies for Pre-training Graph Neural Networks" (arXiv 1905.12265),
for the convolution; here with pre-normalised residual blocks, one bond table per layer, and a
readout that keeps the molecule's size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.nn import GINEConv
from torch_geometric.utils import scatter, softmax

from molkd.errors import ConfigError
from molkd.items.molecules import chem, graph, versions
from molkd.items.molecules.graph import Graphs
from molkd.students.base import Student
from molkd.students.config_gine import GineConfig
from molkd.students.domain import Domain
from molkd.students.pretrained import SavedStudent
from molkd.tensors import Features, FeatureSpec, Nodes

DOMAIN = "domain.json"
"""File of what a student was distilled from, in its folder."""


@dataclass(frozen=True, slots=True)
class GraphBatch:
    """b graphs end to end.

    Attributes:
        atoms: shape (a, number of atom features), codes.
        bonds: shape (2m, number of bond features), codes, both directions of every bond.
        edge_index: shape (2, 2m), from and to.
        owner: shape (a,), the graph each atom belongs to.
        sizes: shape (b,), atoms per graph, at least 1 for division.
    """

    atoms: Tensor
    bonds: Tensor
    edge_index: Tensor
    owner: Tensor
    sizes: Tensor

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        fields = (self.atoms, self.bonds, self.edge_index, self.owner, self.sizes)
        return type(self)(*(field.to(device, non_blocking=True) for field in fields))


class GineStudent(Student[chem.Molecule, Graphs, GraphBatch]):
    """A GINE network from molecular graphs to embeddings."""

    kind: ClassVar[str] = "gine"
    modality: ClassVar[str] = "molecules"
    domain: Domain | None = None

    def __init__(self, config: GineConfig) -> None:
        super().__init__()
        self._config = config
        self.atom_table = _CodeTable(graph.ATOM_SIZES, config.hidden)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.readout = _READOUTS[config.readout](config.hidden)
        width = self.readout.width
        self.project = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.embedding_dim))

    @property
    def config(self) -> Mapping[str, object]:
        """See `GineConfig`."""
        return asdict(self._config)

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """Builds a network from the fields of `GineConfig`."""
        return cls(GineConfig(**config))

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self._config.embedding_dim

    @property
    def feature_spec(self) -> FeatureSpec:
        """The widths of embedding and layers."""
        return FeatureSpec(self.embedding_dim, (self._config.hidden,) * self._config.layers)

    def truncate(self, length: int) -> Self:
        """See `Student`."""
        if not 0 < length < self.embedding_dim:
            raise ConfigError(
                f"an embedding of {self.embedding_dim} dimensions cannot be truncated to {length}"
            )
        state = dict(self.state_dict())
        for name in ("project.1.weight", "project.1.bias"):
            state[name] = state[name][:length].clone()
        short = type(self)(replace(self._config, embedding_dim=length)).to(self.device)
        short.load_state_dict(state)
        short.trained_reading = self.trained_reading
        short.domain = self.domain
        return short.train(self.training)

    def reading_here(self) -> Mapping[str, str]:
        """RDKit's version, and digests of what it computes of a few molecules."""
        return versions.reading(self._config.features)

    @property
    def files(self) -> Mapping[str, bytes]:
        """What it was distilled from, where that is known."""
        return {} if self.domain is None else {DOMAIN: self.domain.as_json()}

    @classmethod
    def restore(cls, saved: SavedStudent) -> Self:
        """See `Student`."""
        student = super().restore(saved)
        student.domain = Domain.from_json(saved.text(DOMAIN)) if DOMAIN in saved.files else None
        return student

    def remember(self, prepared: Graphs) -> None:
        """Keeps which elements, charges and sizes there are."""
        self.domain = Domain.of(prepared)

    def outside(self, prepared: Graphs) -> Mapping[int, tuple[str, ...]]:
        """Row -> elements, charges and sizes that did not occur among those of `remember`."""
        return {} if self.domain is None else self.domain.outside(prepared)

    @property
    def featurize(self) -> Callable[[Sequence[Any]], Graphs]:
        """What reads molecules: pickled by its own name, it reaches worker processes alone."""
        return graph.featurizer(self._config.features)

    def collate(self, prepared: Graphs) -> GraphBatch:
        """Makes tensors of packed graphs."""
        sizes = prepared.sizes
        shift = np.repeat(prepared.atom_starts[:-1], np.diff(prepared.bond_starts))
        ends = prepared.ends.T + shift
        return GraphBatch(
            torch.from_numpy(prepared.atoms.astype(np.int64)),
            torch.from_numpy(np.concatenate([prepared.bonds, prepared.bonds]).astype(np.int64)),
            torch.from_numpy(np.concatenate([ends, ends[::-1]], axis=1)),
            torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)),
            torch.from_numpy(np.maximum(sizes, 1)),
        )

    def forward(self, batch: GraphBatch, *, layers: bool = False, nodes: bool = False) -> Features:
        """Embeds a batch.

        Returns:
            Embedding of shape (b, embedding_dim); with `layers`, also the mean atom state after
            each layer, shape (b, hidden) each; with `nodes`, the atom states, (a, hidden) each.
        """
        state = self.atom_table(batch.atoms)
        states: list[Tensor] = []
        for block in self.blocks:
            state = block(state, batch)
            if layers or nodes:
                states.append(state)
        embedding = self.project(self.readout(state, batch))
        pooled = tuple(_mean(one, batch) for one in states) if layers else ()
        return Features(embedding, pooled, Nodes(tuple(states), batch.owner) if nodes else None)


class _CodeTable(nn.EmbeddingBag):
    """Sum of one learnt vector per feature value."""

    offsets_: Tensor

    def __init__(self, sizes: Mapping[str, int], width: int) -> None:
        super().__init__(sum(sizes.values()), width, mode="sum")
        starts = [0, *accumulate(sizes.values())][:-1]
        self.register_buffer("offsets_", torch.tensor(starts), persistent=False)
        nn.init.normal_(self.weight, std=len(sizes) ** -0.5)

    def forward(self, codes: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().forward(codes + self.offsets_)


class _Block(nn.Module):
    """x + MLP(message passing over LayerNorm(x))."""

    def __init__(self, config: GineConfig) -> None:
        super().__init__()
        width = config.hidden
        self.norm = nn.LayerNorm(width)
        self.bond_table = _CodeTable(graph.BOND_SIZES, width)
        update = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, width),
        )
        self.conv = GINEConv(update, train_eps=True)

    def forward(self, state: Tensor, batch: GraphBatch) -> Tensor:
        bonds = self.bond_table(batch.bonds)
        return state + cast("Tensor", self.conv(self.norm(state), batch.edge_index, bonds))


class _Pooling(nn.Module):
    """Concatenates fixed poolings of the atom states."""

    def __init__(self, hidden: int, *, mean: bool, total: bool) -> None:
        super().__init__()
        self.width = hidden * (mean + total)
        self._mean, self._total = mean, total

    def forward(self, state: Tensor, batch: GraphBatch) -> Tensor:
        mean = _mean(state, batch)
        total = mean * batch.sizes.to(mean.dtype).sqrt()[:, None]  # sum / sqrt(n)
        return torch.cat([mean] * self._mean + [total] * self._total, dim=1)


class _Attention(nn.Module):
    """Weights atoms by a learnt score, and adds the mean scaled by sqrt(n) to keep the size."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.width = 2 * hidden
        self.score = nn.Linear(hidden, 1)

    def forward(self, state: Tensor, batch: GraphBatch) -> Tensor:
        weight = softmax(self.score(state), batch.owner, num_nodes=len(batch.sizes))
        chosen = scatter(weight * state, batch.owner, dim_size=len(batch.sizes))
        total = _mean(state, batch) * batch.sizes.to(state.dtype).sqrt()[:, None]
        return torch.cat([chosen, total], dim=1)


def _mean(state: Tensor, batch: GraphBatch) -> Tensor:
    """Shape (b, hidden): mean over atoms; zero for a graph without atoms."""
    total = scatter(state, batch.owner, dim_size=len(batch.sizes), reduce="sum")
    return total / batch.sizes.to(state.dtype)[:, None]


_READOUTS = {
    "mean": lambda hidden: _Pooling(hidden, mean=True, total=False),
    "sum": lambda hidden: _Pooling(hidden, mean=False, total=True),
    "mean+sum": lambda hidden: _Pooling(hidden, mean=True, total=True),
    "attention": _Attention,
}
