"""The basis of a trained student's embedding, which its objective leaves open.

Heads that follow an embedding undo any invertible map of it, so that training says nothing about
which directions are long; whoever measures distances, or fits a penalised model to a few molecules,
depends on it. Here the embedding is mapped onto what it says, linearly, about the principal
components of all teachers side by side, and rotated until all dimensions have the same variance:
standardising them, as pipelines do, then changes nothing. For a student of which first dimensions
are wanted alone, the longest directions come first, and only dimensions between two of these
lengths are alike. The map becomes part of the student's last layer and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from molkd.errors import ConfigError
from molkd.students.base import Student
from molkd.targets import rotations
from molkd.targets.rotations import Vector
from molkd.types import Matrix

POWER = 0.5
"""The variance of a component in the embedding is its own to this power: at 1 distances are those
of the teachers, at 0 the faintest component is as long as the first."""

PREFIX_POWER = 0.75
"""The same where first dimensions are wanted alone: chosen with what `_lengths` does, see there."""

_RIDGE = 1e-5
"""Penalty of the regression, in variances of the embedding's dimensions."""


def check(components: int, dim: int) -> None:
    """Refuses a number of components that is not that of the embedding's dimensions.

    Raises:
        ConfigError: it is another.
    """
    if components != dim:
        raise ConfigError(
            f"basis=teachers needs as many components as the embedding has dimensions, {dim}; the "
            f"teachers have {components} on these rows: make the embedding shorter"
        )


def turn(
    student: Student[Any, Any, Any],
    embedded: Matrix,
    targets: Matrix,
    sds: Vector,
    prefixes: Sequence[int] = (),
) -> None:
    """Turns a student's embedding, in place.

    Args:
        student: trained.
        embedded: shape (n, e), its embeddings of some rows.
        targets: shape (n, e), the components of the teachers' values for them, of variance 1.
        sds: shape (e,), the components' own standard deviations.
        prefixes: lengths to which the embedding shall be truncated, each shorter than e; dimensions
            between two of them have equal variances, the longest ones come first.

    Raises:
        ConfigError: the student does not end in linear layers, or there are not as many components
            as dimensions.
    """
    check(targets.shape[1], student.embedding_dim)
    mean, spread = embedded.mean(axis=0, dtype=np.float64), embedded.std(axis=0, dtype=np.float64)
    spread[spread == 0] = 1
    scaled = (embedded - mean) / spread
    gram = scaled.T @ scaled + _RIDGE * len(scaled) * np.eye(len(spread))
    power = PREFIX_POWER if prefixes else POWER
    known = np.linalg.solve(gram, scaled.T @ (targets * sds**power))
    variances, axes = rotations.principal(known.T @ (scaled.T @ scaled / len(scaled)) @ known)
    variances = variances.clip(min=0)
    lengths = _lengths(len(variances), prefixes)
    rotation = lengths[:, None] * _rotation(variances, prefixes) @ axes
    size = np.sqrt((variances * np.square(lengths)).mean())
    onto = known @ rotation.T / size / spread[:, None]
    student.transform(onto, -mean @ onto)


def _rotation(variances: Vector, prefixes: Sequence[int]) -> Vector:
    """Shape (e, e), orthonormal: makes falling variances equal between any two of the lengths."""
    rotation = np.zeros((len(variances), len(variances)))
    for block in _blocks(len(variances), prefixes):
        rotation[block, block] = rotations.equalizing_rotation(variances[block])
    return rotation


def _lengths(dim: int, prefixes: Sequence[int]) -> Vector:
    """Shape (e,): how many times as long each dimension is made: first / end of its block.

    What tells near neighbours apart lies in faint components more than in long ones. A power of
    their variances that is large enough to make first dimensions decide (2) ruins neighbours of all
    of them; this does not. It was chosen with `PREFIX_POWER`, see docs/how-to/truncate.md.
    """
    lengths = np.ones(dim)
    for block in _blocks(dim, prefixes):
        lengths[block] = min([*prefixes, dim]) / block.stop
    return lengths


def _blocks(dim: int, prefixes: Sequence[int]) -> list[slice]:
    ends = [*sorted(set(prefixes)), dim]
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
