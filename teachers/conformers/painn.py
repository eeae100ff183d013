"""PaiNN: messages of scalars and vectors between atoms that are near one another.

Source: Schütt et al. 2021, https://arxiv.org/abs/2102.03150, as CSP5 trained it: the nearest
`NEIGHBOURS` atoms within `CUTOFF`, distances as Bessel functions under the envelope of DimeNet
(https://arxiv.org/abs/2003.03123), vectors that begin with a tiny constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from molkd.types import Matrix

UNITS = 256
RADIAL = 20
LAYERS = 6
TOKENS = 256
CUTOFF = 5.0
"""Å."""
NEIGHBOURS = 20


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """The n atoms of some geometries and what each of them hears.

    Attributes:
        tokens: shape (n,), int64.
        near: shape (n, k), int64; atoms that an atom hears, nearest first.
        there: shape (n, k), float32; 1, or 0 where it hears fewer.
        offsets: shape (n, k, 3); from those atoms to it, in Å.
    """

    tokens: Tensor
    near: Tensor
    there: Tensor
    offsets: Tensor

    def to(self, device: torch.device) -> Neighbourhoods:
        """Returns them on a device."""
        parts = (self.tokens, self.near, self.there, self.offsets)
        return Neighbourhoods(*(part.to(device) for part in parts))


def neighbourhoods(
    tokens: Sequence[Sequence[int]], coordinates: Sequence[Matrix]
) -> Neighbourhoods:
    """Finds who hears whom.

    Args:
        tokens: of the atoms of each geometry.
        coordinates: of each, shape (atoms, 3), in Å.
    """
    total = sum(map(len, coordinates))
    near = np.tile(np.arange(total)[:, None], NEIGHBOURS)
    there = np.zeros((total, NEIGHBOURS), dtype=np.float32)
    start = 0
    for where in coordinates:
        offsets = where[:, None] - where
        distances = np.sqrt((offsets * offsets).sum(axis=2))
        np.fill_diagonal(distances, -1)
        order = np.argsort(distances, axis=1)[:, 1 : NEIGHBOURS + 1]
        rows, width = slice(start, start + len(where)), order.shape[1]
        heard = np.take_along_axis(distances, order, axis=1) < CUTOFF
        near[rows, :width] = np.where(heard, order + start, near[rows, :width])
        there[rows, :width] = heard
        start += len(where)
    everywhere = np.concatenate(coordinates)
    return Neighbourhoods(
        torch.tensor([token for one in tokens for token in one]),
        torch.from_numpy(near),
        torch.from_numpy(there),
        torch.from_numpy(everywhere[:, None] - everywhere[near]),
    )


class Bessel(nn.Module):
    """Distances, in units of the cut-off, as `RADIAL` waves that end smoothly at 1."""

    def __init__(self) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.empty(RADIAL))

    def forward(self, distances: Tensor) -> Tensor:
        """Returns shape (..., `RADIAL`) for shape (..., 1)."""
        envelope = 1 / distances - 28 * distances**5 + 48 * distances**6 - 21 * distances**7
        envelope = torch.where(distances < 1, envelope, 0)
        return envelope * torch.sin(self.frequencies * distances)


class Messages(nn.Module):
    """What atoms hear of their neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.dense_s = nn.Linear(UNITS, UNITS)
        self.dense_phi = nn.Linear(UNITS, 3 * UNITS)
        self.dense_w = nn.Linear(RADIAL, 3 * UNITS)

    def forward(
        self,
        scalars: Tensor,
        vectors: Tensor,
        waves: Tensor,
        directions: Tensor,
        atoms: Neighbourhoods,
    ) -> tuple[Tensor, Tensor]:
        """Returns what is added to scalars, shape (n, u), and to vectors, shape (n, 3, u)."""
        said = self.dense_phi(functional.silu(self.dense_s(scalars)))
        filters = self.dense_w(waves) * atoms.there.unsqueeze(-1)
        scalar, along, new = (said[atoms.near] * filters).chunk(3, dim=-1)
        heard = (vectors[atoms.near] * along.unsqueeze(2)).sum(dim=1)
        return scalar.sum(dim=1), heard + directions.transpose(1, 2) @ new


class Update(nn.Module):
    """What an atom makes of its own scalars and vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.dense1 = nn.Linear(2 * UNITS, UNITS)
        self.lin_u = nn.Linear(UNITS, UNITS, bias=False)
        self.lin_v = nn.Linear(UNITS, UNITS, bias=False)
        self.dense_a = nn.Linear(UNITS, 3 * UNITS)

    def forward(self, scalars: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what is added to scalars and vectors."""
        left, right = self.lin_u(vectors), self.lin_v(vectors)
        lengths = (right * right).sum(dim=1).sqrt()  # a norm over this axis is far slower
        gates = self.dense_a(functional.silu(self.dense1(torch.cat([scalars, lengths], dim=-1))))
        turn, mix, own = gates.chunk(3, dim=-1)
        return (left * right).sum(dim=1) * mix + own, left * turn.unsqueeze(1)


class PaiNN(nn.Module):
    """The scalars of atoms after the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, UNITS)
        self.bessel_basis = Bessel()
        self.convs = nn.ModuleList(Messages() for _ in range(LAYERS))
        self.updates = nn.ModuleList(Update() for _ in range(LAYERS))

    def forward(self, atoms: Neighbourhoods) -> Tensor:
        """Returns shape (n, `UNITS`) for n atoms."""
        there = atoms.there.unsqueeze(-1)
        distances = torch.linalg.vector_norm(atoms.offsets, dim=-1, keepdim=True)
        distances = torch.where(there > 0, distances, 1)
        directions = atoms.offsets / distances
        waves = self.bessel_basis(distances / CUTOFF)
        scalars = self.embedding(atoms.tokens)
        vectors = scalars.new_full((len(scalars), 3, UNITS), torch.finfo(scalars.dtype).eps)
        for messages, update in zip(self.convs, self.updates, strict=True):
            for more in (messages(scalars, vectors, waves, directions, atoms), None):
                scalar, vector = more or update(scalars, vectors)
                scalars, vectors = scalars + scalar, vectors + vector
        return scalars
