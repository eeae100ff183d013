"""The parts of the molecular student's network, over distinct neighbourhoods.

A state per neighbourhood stands for the states of all atoms that have it; see
`molkd.students.neighbourhoods`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from molkd.items.molecules import graph
from molkd.students.config_gine import GineConfig
from molkd.students.neighbourhoods import Neighbourhoods, Round

_TILE = 1024
"""Neighbourhoods that are computed at a time without gradients, to stay in cache."""


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

    def forward(self, states: Tensor, bonds: Tensor, step: Round) -> Update:
        """The states after a round, from those before, shape (., hidden), and the bonds' codes."""
        return Update(self, states, self.bond_table(bonds), step)


class Update:
    """The states after a layer: those before it, and what is projected from wide activations.

    With gradients, or on a GPU, all is computed at once and kept for both uses; else some
    neighbourhoods at a time, which stay in the cache of the processor.
    """

    def __init__(self, block: Block, states: Tensor, bonds: Tensor, step: Round) -> None:
        self._states, self._step, self._project = states, step, block.conv.project
        normed = block.norm(states)
        self._widen = functools.partial(block.conv, normed, bonds)
        whole = torch.is_grad_enabled() or states.device.type != "cpu"
        self._rows = len(step.centres) if whole else _TILE
        self._wide = self._widen(step) if self._rows >= len(step.centres) else None

    @property
    def states(self) -> Tensor:
        """Shape (k, hidden): states after the layer."""
        if self._wide is not None:
            return self._states.index_select(0, self._step.centres) + self._project(self._wide)
        after = self._states.new_empty(len(self._step.centres), self._states.shape[1])
        for place, tile in zip(after.split(self._rows), self._step.tiles(self._rows), strict=True):
            before = self._states.index_select(0, tile.centres)
            torch.add(before, self._project(self._widen(tile)), out=place)
        return after

    def mean(self, batch: GraphBatch) -> Tensor:
        """Shape (b, hidden): means over atoms of `states`; both parts are averaged first."""
        members = self._step.members
        before = batch.mean(self._states, self._step.centres.index_select(0, members))
        if self._wide is not None:
            return before + self._project(batch.mean(self._wide.to(before.dtype), members))
        members, order = members.sort(stable=True)
        owner = batch.owner[order]
        total = before.new_zeros(len(before), self._project.in_features)
        first = 0
        for index, tile in enumerate(self._step.tiles(self._rows)):
            end = int(torch.searchsorted(members, (index + 1) * self._rows))
            wide = self._widen(tile).index_select(0, members[first:end] - index * self._rows)
            total.index_add_(0, owner[first:end], wide.to(total.dtype))
            first = end
        return before + self._project(total / batch.sizes[:, None])


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
        senders, kinds, arriving = _distinct(step, len(bonds))
        messages = states.index_select(0, senders)
        messages.add_(bonds.index_select(0, kinds)).relu_()
        own = (1 + self.eps) * states.index_select(0, step.centres)
        return self.nn[:-1](own + cast("Tensor", _Sums.apply(messages, arriving, step.starts)))


def _distinct(step: Round, kinds: int) -> tuple[Tensor, Tensor, Tensor]:
    """Senders and bonds of messages, and which of these arrive, neighbourhood by neighbourhood.

    For gradients on a CPU equal ones are found: most are, and to find them costs less than a pass
    forward and back. Without gradients, all that a tile needs is in cache anyway.
    """
    if not torch.is_grad_enabled() or step.senders.device.type != "cpu":
        every = torch.arange(len(step.senders), dtype=torch.int32, device=step.senders.device)
        return step.senders, step.bonds, every
    codes, arriving = (step.senders.long() * kinds + step.bonds).unique(return_inverse=True)
    return codes // kinds, codes % kinds, arriving.int()


class _Sums(torch.autograd.Function):
    """Sums of runs of chosen rows: a bag, whose gradient is a bag of the runs that chose a row."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, chosen: Tensor, starts: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Shape (k, d), from rows (p, d), those chosen (e,), and where each run starts (k,)."""
        ctx.save_for_backward(chosen, starts)
        ctx.rows = len(rows)
        return functional.embedding_bag(chosen, rows, starts, mode="sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Every row has the gradients of the runs that chose it."""
        chosen, starts = ctx.saved_tensors
        counts = torch.diff(starts, append=starts.new_full((1,), len(chosen)))
        runs = torch.repeat_interleave(counts, output_size=len(chosen)).to(chosen.dtype)
        chosen, order = chosen.sort(stable=True)
        every = torch.arange(ctx.rows, dtype=chosen.dtype, device=chosen.device)
        firsts = torch.searchsorted(chosen, every, out_int32=chosen.dtype == torch.int32)
        return functional.embedding_bag(runs[order], gradient, firsts, mode="sum"), None, None


class _Pooling(nn.Module):
    """Concatenates fixed poolings of the atom states."""

    def __init__(self, hidden: int, *, mean: bool, total: bool) -> None:
        super().__init__()
        self.width = hidden * (mean + total)
        self._mean, self._total = mean, total

    def forward(self, last: Update, batch: GraphBatch) -> Tensor:
        mean = last.mean(batch)
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
