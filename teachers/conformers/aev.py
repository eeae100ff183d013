"""Atomic environment vectors: how often which elements are where around an atom.

Source: Smith, Isayev and Roitberg 2017, https://arxiv.org/abs/1610.08935, with the numbers of
ANI-2x (Devereux et al. 2020, https://doi.org/10.1021/acs.jctc.0c00121).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from molkd.types import Matrix

ELEMENTS = ("H", "C", "N", "O", "S", "F", "Cl")
RADIAL_SHIFTS = tuple(0.8 + 0.26875 * step for step in range(16))
RADIAL_ETA, RADIAL_CUTOFF = 19.7, 5.1
ANGULAR_SHIFTS = tuple(0.8 + 0.3375 * step for step in range(8))
ANGULAR_ETA, ANGULAR_CUTOFF = 12.5, 3.5
ANGLES = tuple(math.pi / 8 + math.pi / 4 * step for step in range(4))
ZETA = 14.1
KINDS = len(ELEMENTS)
PAIRS = KINDS * (KINDS + 1) // 2
RADIAL = len(RADIAL_SHIFTS)
ANGULAR = len(ANGULAR_SHIFTS) * len(ANGLES)
WIDTH = KINDS * RADIAL + PAIRS * ANGULAR
"""1,008."""


@dataclass(frozen=True, slots=True)
class Environments:
    """The n atoms of some geometries, their pairs and the angles at them.

    Attributes:
        kinds: shape (n,), int64; places in `ELEMENTS`.
        where: shape (n, 3), in Å.
        pairs: shape (2, p), int64; an atom, and one within `RADIAL_CUTOFF` of it.
        angles: shape (3, a), int64; an atom, and two different ones within `ANGULAR_CUTOFF` of it.
    """

    kinds: Tensor
    where: Tensor
    pairs: Tensor
    angles: Tensor

    def to(self, device: torch.device) -> Environments:
        """Returns them on a device."""
        parts = (self.kinds, self.where, self.pairs, self.angles)
        return Environments(*(part.to(device) for part in parts))


def environments(kinds: Sequence[Sequence[int]], coordinates: Sequence[Matrix]) -> Environments:
    """Finds pairs and angles.

    Args:
        kinds: of the atoms of each geometry, places in `ELEMENTS`.
        coordinates: of each, shape (atoms, 3), in Å.
    """
    pairs: list[np.ndarray] = []
    angles: list[np.ndarray] = []
    start = 0
    for where in coordinates:
        distances = np.linalg.norm(where[:, None] - where, axis=2)
        np.fill_diagonal(distances, np.inf)
        pairs.append(np.stack(np.nonzero(distances < RADIAL_CUTOFF)) + start)
        near = distances < ANGULAR_CUTOFF
        both = np.triu(near[:, :, None] & near[:, None, :], k=1)
        angles.append(np.stack(np.nonzero(both)) + start)
        start += len(where)
    return Environments(
        torch.tensor([kind for one in kinds for kind in one]),
        torch.from_numpy(np.concatenate(coordinates)),
        torch.from_numpy(np.concatenate(pairs, axis=1)),
        torch.from_numpy(np.concatenate(angles, axis=1)),
    )


def vectors(atoms: Environments) -> Tensor:
    """Returns the environment of each atom, shape (n, `WIDTH`)."""
    radial = _added(atoms, atoms.pairs[0], _radial_place(atoms), KINDS, _radial(atoms))
    angular = _added(atoms, atoms.angles[0], _angular_place(atoms), PAIRS, _angular(atoms))
    return torch.cat([radial, angular], dim=1)


def _added(
    atoms: Environments, centre: Tensor, place: Tensor, places: int, terms: Tensor
) -> Tensor:
    """Adds up terms by the atom that they are about and the elements around it."""
    none = terms.new_zeros(len(atoms.kinds) * places, terms.shape[1])
    return none.index_add(0, centre * places + place, terms).view(len(atoms.kinds), -1)


def _radial_place(atoms: Environments) -> Tensor:
    return atoms.kinds[atoms.pairs[1]]


def _angular_place(atoms: Environments) -> Tensor:
    """Unordered pairs of elements in the order (0, 0), (0, 1), ..., (1, 1), ..."""
    ends = atoms.kinds[atoms.angles[1:]]
    low, high = ends.amin(dim=0), ends.amax(dim=0)
    return low * KINDS - low * (low - 1) // 2 + high - low


def _radial(atoms: Environments) -> Tensor:
    here, there = atoms.where[atoms.pairs]
    distance = torch.linalg.vector_norm(there - here, dim=1, keepdim=True)
    shift = distance.new_tensor(RADIAL_SHIFTS)
    return 0.25 * torch.exp(-RADIAL_ETA * (distance - shift) ** 2) * _fade(distance, RADIAL_CUTOFF)


def _angular(atoms: Environments) -> Tensor:
    here, one, other = atoms.where[atoms.angles]
    sides = torch.stack([one - here, other - here])
    lengths = torch.linalg.vector_norm(sides, dim=2)
    cosine = (sides[0] * sides[1]).sum(dim=1) / (lengths[0] * lengths[1])
    angle = torch.acos(0.95 * cosine)  # as it was trained: its slope stays finite
    turned = angle[:, None] - angle.new_tensor(ANGLES)
    sharp = ((1 + torch.cos(turned)) / 2) ** ZETA
    middle = lengths.mean(dim=0)[:, None] - lengths.new_tensor(ANGULAR_SHIFTS)
    far = torch.exp(-ANGULAR_ETA * middle**2)
    fade = _fade(lengths, ANGULAR_CUTOFF).prod(dim=0)
    return (2 * fade[:, None, None] * far[:, :, None] * sharp[:, None, :]).flatten(1)


def _fade(distance: Tensor, cutoff: float) -> Tensor:
    return 0.5 * torch.cos(distance * (math.pi / cutoff)) + 0.5
