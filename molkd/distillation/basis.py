"""The basis of a trained student's embedding, which its objective leaves open.

Heads that follow an embedding undo any invertible map of it, so that training says nothing about
which directions are long; whoever measures distances, or fits a penalised model to a few molecules,
depends on it. Here the embedding is mapped onto what it says, linearly, about the principal
components of all teachers side by side, and rotated until all dimensions have the same variance:
standardising them, as pipelines do, then changes nothing. The map becomes part of the student's
last layer and costs nothing.
"""

from __future__ import annotations

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


def turn(student: Student[Any, Any, Any], embedded: Matrix, targets: Matrix, sds: Vector) -> None:
    """Turns a student's embedding, in place.

    Args:
        student: trained.
        embedded: shape (n, e), its embeddings of some rows.
        targets: shape (n, e), the components of the teachers' values for them, of variance 1.
        sds: shape (e,), the components' own standard deviations.

    Raises:
        ConfigError: the student does not end in linear layers, or there are not as many components
            as dimensions.
    """
    check(targets.shape[1], student.embedding_dim)
    mean, spread = embedded.mean(axis=0, dtype=np.float64), embedded.std(axis=0, dtype=np.float64)
    spread[spread == 0] = 1
    scaled = (embedded - mean) / spread
    gram = scaled.T @ scaled + _RIDGE * len(scaled) * np.eye(len(spread))
    known = np.linalg.solve(gram, scaled.T @ (targets * sds**POWER))
    variances, axes = rotations.principal(known.T @ (scaled.T @ scaled / len(scaled)) @ known)
    variances = variances.clip(min=0)
    rotation = rotations.equalizing_rotation(variances) @ axes
    onto = known @ rotation.T / np.sqrt(variances.mean()) / spread[:, None]
    student.transform(onto, -mean @ onto)
