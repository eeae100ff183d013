"""The parts of the molecular student's network, over distinct neighbourhoods.

A state per neighbourhood stands for the states of all atoms that have it; see
`molkd.students.neighbourhoods`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from molkd.items.molecules import graph
from molkd.students.config_gine import GineConfig
from molkd.students.neighbourhoods import Neighbourhoods, Round

_TILE = 2**18
"""Numbers of a layer's input that are computed at a time without gradients, to stay in cache."""


@dataclass(frozen=True, slots=True)
class GraphBatch:
    """b graphs end to end.

    Attributes:
        distinct: what of them the network computes, one round per layer.
        owner: shape (a,), the graph each atom belongs to, ascending.
        starts: shape (b,), the first atom of each graph.
        sizes: shape (b,), atoms per graph, at least 1 for division.
    """

    distinct: Neighbourhoods
    owner: Tensor
    starts: Tensor
    sizes: Tensor

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        fields = (self.owner, self.starts, self.sizes)
        moved = (field.to(device, non_blocking=True) for field in fields)
        return type(self)(self.distinct.to(device), *moved)

    def mean(self, states: Tensor, members: Tensor) -> Tensor:
        """Shape (b, d): mean over atoms of their neighbourhoods' states, zero without atoms."""
        total = functional.embedding_bag(members, states, self.starts, mode="sum")
        return total / self.sizes.to(total.dtype)[:, None]


@dataclass(frozen=True, slots=True)
class Update:
    """The states after a layer, as a sum whose second part need not be computed for every atom.

    A mean over atoms is that of both parts, and only the mean is then projected.

    Attributes:
        before: shape (k, hidden), states before the layer.
        wide: shape (k, 2 hidden), activations of the layer.
        project: from activations to states.
    """

    before: Tensor
    wide: Tensor
    project: nn.Linear

    @property
    def states(self) -> Tensor:
        """Shape (k, hidden): states after the layer."""
        return self.before + self.project(self.wide)

    def mean(self, batch: GraphBatch, members: Tensor) -> Tensor:
        """Shape (b, hidden): mean over atoms of the states after the layer."""
        wide = self.wide.to(self.before.dtype)
        return batch.mean(self.before, members) + self.project(batch.mean(wide, members))


class CodeTable(nn.EmbeddingBag):
    """Sum of one learnt vector per feature value."""

    offsets_: Tensor

    def __init__(self, sizes: Mapping[str, int], width: int) -> None:
        super().__init__(sum(sizes.values()), width, mode="sum")
        starts = [0, *accumulate(sizes.values())][:-1]
        self.register_buffer("offsets_", torch.tensor(starts), persistent=False)
        nn.init.normal_(self.weight, std=len(sizes) ** -0.5)

    def forward(self, codes: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Shape (n, width), from codes of shape (n, number of features)."""
        return super().forward(codes + self.offsets_)


class Block(nn.Module):
    """x + MLP(message passing over LayerNorm(x))."""

    def __init__(self, config: GineConfig) -> None:
        super().__init__()
        width = config.hidden
        self.norm = nn.LayerNorm(width)
        self.bond_table = CodeTable(graph.BOND_SIZES, width)
        update = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, width),
        )
        self.conv = _Convolution(update)

    def forward(self, states: Tensor, bonds: Tensor, step: Round) -> Tensor:
        """Shape (k, hidden): the states after a round, from those before and the bonds' codes."""
        project = self.conv.project
        parts = [before + project(wide) for before, wide in self._parts(states, bonds, step)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def update(self, states: Tensor, bonds: Tensor, step: Round) -> Update:
        """The same, not yet added up."""
        before, wide = zip(*self._parts(states, bonds, step), strict=True)
        return Update(torch.cat(before), torch.cat(wide), self.conv.project)

    def _parts(self, states: Tensor, bonds: Tensor, step: Round) -> Iterator[tuple[Tensor, Tensor]]:
        """States before, and activations, of some neighbourhoods at a time."""
        tables = self.norm(states), self.bond_table(bonds)
        whole = torch.is_grad_enabled() or states.device.type != "cpu"
        for tile in [step] if whole else step.tiles(max(1, _TILE // states.shape[1])):
            yield states.index_select(0, tile.centres), self.conv(*tables, tile)


class _Convolution(nn.Module):
    """GINE's convolution up to its last projection; its parameters are PyG's, by name and seed."""

    def __init__(self, update: nn.Sequential) -> None:
        super().__init__()
        self.nn = update
        self.eps = nn.Parameter(torch.zeros(1))
        for layer in update:  # once more, as PyG does: a seed has always meant these weights
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()

    @property
    def project(self) -> nn.Linear:
        """The last projection."""
        return cast("nn.Linear", self.nn[-1])

    def forward(self, states: Tensor, bonds: Tensor, step: Round) -> Tensor:
        """Shape (k, 2 hidden), from (normalised) states and bonds of shapes (., hidden)."""
        messages = states.index_select(0, step.senders) + bonds.index_select(0, step.bonds)
        own = (1 + self.eps) * states.index_select(0, step.centres)
        gathered = own.index_add(0, step.receivers, messages.relu())
        return self.nn[:-1](gathered)


class _Pooling(nn.Module):
    """Concatenates fixed poolings of the atom states."""

    def __init__(self, hidden: int, *, mean: bool, total: bool) -> None:
        super().__init__()
        self.width = hidden * (mean + total)
        self._mean, self._total = mean, total

    def forward(self, last: Update, batch: GraphBatch) -> Tensor:
        mean = last.mean(batch, batch.distinct.rounds[-1].members)
        total = mean * batch.sizes.to(mean.dtype).sqrt()[:, None]  # sum / sqrt(n)
        return torch.cat([mean] * self._mean + [total] * self._total, dim=1)


class _Attention(nn.Module):
    """Weights atoms by a learnt score, and adds the mean scaled by sqrt(n) to keep the size."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.width = 2 * hidden
        self.score = nn.Linear(hidden, 1)

    def forward(self, last: Update, batch: GraphBatch) -> Tensor:
        states, members = last.states, batch.distinct.rounds[-1].members
        weights = _softmax(self.score(states).float()[members, 0], batch).to(states.dtype)
        chosen = functional.embedding_bag(
            members, states, batch.starts, mode="sum", per_sample_weights=weights
        )
        total = batch.mean(states, members) * batch.sizes.to(states.dtype).sqrt()[:, None]
        return torch.cat([chosen, total], dim=1)


def _softmax(scores: Tensor, batch: GraphBatch) -> Tensor:
    """Shape (a,): the share of each atom in its graph, from scores of the same shape."""
    zeros = scores.new_zeros(len(batch.sizes))
    highest = zeros.scatter_reduce(0, batch.owner, scores.detach(), "amax", include_self=False)
    powers = torch.exp(scores - highest[batch.owner])
    return powers / zeros.index_add(0, batch.owner, powers)[batch.owner]


READOUTS: Mapping[str, Callable[[int], _Pooling | _Attention]] = {
    "mean": lambda hidden: _Pooling(hidden, mean=True, total=False),
    "sum": lambda hidden: _Pooling(hidden, mean=False, total=True),
    "mean+sum": lambda hidden: _Pooling(hidden, mean=True, total=True),
    "attention": _Attention,
}
"""Name of a readout -> what builds it for a width of the atom states."""
