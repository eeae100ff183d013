"""What MiniMol reads of a molecule: the features of graphium 2.4.7, as its authors set them.

Written anew from https://github.com/datamol-io/graphium. Numbers pass through half precision
there, so they do here.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem

Array = npt.NDArray[Any]

EIGENVECTORS = 8
STEPS = 16
"""Lengths of the random walks, from one step on."""

ELEMENTS = (
    *("C", "N", "O", "S", "F", "Si", "P", "Cl", "Br", "Mg", "Na", "Ca", "Fe", "As", "Al", "I"),
    *("B", "V", "K", "Tl", "Yb", "Sb", "Sn", "Ag", "Pd", "Co", "Se", "Ti", "Zn", "H", "Li", "Ge"),
    *("Cu", "Au", "Ni", "Cd", "In", "Mn", "Zr", "Cr", "Pt", "Hg", "Pb"),
)
"""Those with a place of their own; any other element shares one, beside its group and period."""

_NOBLE = (0, 2, 10, 18, 36, 54, 86, 118)
_INNER = {*range(58, 72), *range(90, 104)}
_NO_GROUP = 19
"""Stands for the group of what has none: `_INNER`."""

_PERIODS = 7
_VALENCES = 7
_SAME = 1e-9
"""Eigenvalues that differ by less are one: rounding is below 1e-13."""
_BONDS = (
    *(Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE),
    Chem.BondType.AROMATIC,
)
_STEREO = (
    *(Chem.BondStereo.STEREONONE, Chem.BondStereo.STEREOANY, Chem.BondStereo.STEREOZ),
    *(Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOCIS, Chem.BondStereo.STEREOTRANS),
)


def atoms(mol: Chem.Mol) -> Array:
    """Returns shape (a, 85): five numbers; element, group, period and valence, one of k each."""
    rows: list[tuple[int, ...]] = []
    numbers: list[int] = []
    for atom in mol.GetAtoms():
        numbers.append(atom.GetAtomicNum())
        rows.append(
            (
                atom.GetTotalDegree() - 2,  # as in carbon, says graphium
                atom.GetFormalCharge(),
                atom.GetNumRadicalElectrons(),
                atom.GetIsAromatic(),
                atom.IsInRing(),
                atom.GetTotalValence(),
            )
        )
    table = np.array(rows, dtype=np.float32)
    valences = np.minimum(table[:, 5].astype(int), _VALENCES)
    valence = np.eye(_VALENCES + 1, dtype=np.float32)[valences]
    return np.concatenate([table[:, :5], _PERIODIC_TABLE[numbers], valence], axis=1)


def bonds(mol: Chem.Mol) -> tuple[Array, Array]:
    """Returns edges, both ways in turn: features of shape (2b, 13), atoms of shape (2, 2b)."""
    count = mol.GetNumBonds()
    features = np.zeros((count, len(_BONDS) + len(_STEREO) + 3), dtype=np.float32)
    ends = np.zeros((count, 2), dtype=np.int64)
    for row, bond in enumerate(mol.GetBonds()):
        ends[row] = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        features[row, _KIND.get(bond.GetBondType(), len(_BONDS))] = 1
        stereo = _STEREO_KIND.get(bond.GetStereo(), len(_STEREO))
        features[row, len(_BONDS) + 1 + stereo] = 1
        features[row, -1] = bond.IsInRing()
    both = np.stack([ends, ends[:, ::-1]], axis=1).reshape(-1, 2)
    return features.repeat(2, axis=0), both.T


def positions(mol: Chem.Mol) -> tuple[Array, Array, Array]:
    """Returns where atoms are in the graph: Laplacian eigenvectors and -values, walks that return.

    Returns:
        Of shapes (a, 8), (a, 8) and (a, 16). Each part of the graph has its own spectrum, from the
        lowest eigenvalue on, and zeros where it has fewer atoms than eigenvectors are asked for.
    """
    adjacency = Chem.GetAdjacencyMatrix(mol).astype(np.float64)
    vectors = np.zeros((len(adjacency), EIGENVECTORS))
    values = np.zeros_like(vectors)
    for part in Chem.GetMolFrags(mol):
        inside = adjacency[np.ix_(part, part)]
        spectrum = np.linalg.eigh(np.diag(inside.sum(axis=1)) - inside)
        place = np.ix_(part, range(min(len(part), EIGENVECTORS)))
        values[place] = spectrum.eigenvalues[:EIGENVECTORS]
        vectors[place] = settled(spectrum.eigenvalues, spectrum.eigenvectors)
    return _half(vectors), _half(values), _half(_returns(adjacency))


def settled(values: Array, vectors: Array) -> Array:
    """Returns eigenvectors that depend on the matrix alone, not on how they were computed.

    A solver is free to turn each one round, and to rotate those that share an eigenvalue. Here the
    first of such a group is the nearest to a wave over the atoms in their order, the next is the
    nearest to a second wave among those orthogonal to it.

    Args:
        values: shape (a,), ascending.
        vectors: shape (a, a), one per column.

    Returns:
        The first eight, or all where there are fewer: shape (a, min(a, 8)).
    """
    count = min(len(values), EIGENVECTORS)
    waves = np.cos(np.outer(np.arange(len(values)), np.arange(1, count + 1)))
    chosen = np.empty((len(values), count))
    steps = np.flatnonzero(np.diff(values) > _SAME) + 1
    for start, stop in itertools.pairwise([0, *steps, len(values)]):
        group, columns = vectors[:, start:stop], slice(start, min(stop, count))
        rotation, along = np.linalg.qr(group.T @ waves[:, : columns.stop - start])
        chosen[:, columns] = group @ (rotation * np.where(np.diag(along) < 0, -1, 1))
        if stop >= count:
            break
    return chosen


def _returns(adjacency: Array) -> Array:
    """Shape (a, 16): how likely a random walk of so many steps ends where it began."""
    if len(adjacency) == 1:
        return np.ones((1, STEPS))
    step = adjacency / np.maximum(adjacency.sum(axis=1, keepdims=True), 1)
    walks = [step]
    for _ in range(STEPS // 2 - 1):
        walks.append(walks[-1] @ step)
    powers = [np.diagonal(walk) for walk in walks]
    # A walk of k steps and one of 8 more: only the diagonal of the product is needed.
    powers += [np.einsum("ij,ji->i", walk, walks[-1]) for walk in walks]
    return np.stack(powers, axis=1)


def _half(values: Array) -> Array:
    return values.astype(np.float16).astype(np.float32)


def _group(number: int) -> tuple[int, int]:
    """Returns group and period of an element."""
    period = sum(number > noble for noble in _NOBLE[:-1])
    place, left = number - _NOBLE[period - 1], _NOBLE[period] - number
    if number in _INNER:
        return _NO_GROUP, period
    if place <= 3 and (left > 5 or number == 1):
        return place, period
    return 18 - left, period


def _one_of_k() -> Array:
    """Shape (119, 72): atomic number -> element, group and period, one of k each."""
    symbol = Chem.GetPeriodicTable().GetElementSymbol
    others = len(ELEMENTS)
    table = np.zeros((_NOBLE[-1] + 1, others + 1 + _NO_GROUP + 1 + _PERIODS + 1), dtype=np.float32)
    for number in range(1, len(table)):
        name = symbol(number)
        group, period = _group(number)
        table[number, ELEMENTS.index(name) if name in ELEMENTS else others] = 1
        table[number, others + group] = 1  # groups count from one
        table[number, others + 1 + _NO_GROUP + period] = 1
    return table


_PERIODIC_TABLE = _one_of_k()
_KIND = {kind: place for place, kind in enumerate(_BONDS)}
_STEREO_KIND = {kind: place for place, kind in enumerate(_STEREO)}
