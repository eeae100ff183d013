"""Principal axes of a covariance, and the rotation of them that makes all variances equal.

All in float64; the same covariance gives the same axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import linalg

Vector = npt.NDArray[np.float64]
"""Shape (d,), or another where a docstring names it."""

_TOLERANCE = 1e-13
"""How far from 1 a variance may stay when all are made equal."""


def covariance(chunks: Iterator[Vector], count: int) -> Vector:
    """Sums up the covariance of centred rows.

    Args:
        chunks: arrays of shape (m, d) with mean 0 over all of them; at least one.
        count: rows of all chunks together.

    Returns:
        Shape (d, d), of the population (divided by `count`).
    """
    scatter: Vector | None = None
    for chunk in chunks:
        product = chunk.T @ chunk
        scatter = product if scatter is None else scatter + product
    return cast("Vector", scatter) / count


def principal(covariance: Vector, count: int | None = None) -> tuple[Vector, Vector]:
    """Returns the principal axes of a covariance.

    Args:
        covariance: shape (d, d), symmetric.
        count: how many of them, those of the largest variances; all where there are no more.

    Returns:
        Variances, shape (k,), falling, and axes of length 1, shape (k, d), one per row; the
        largest entry of each is positive.
    """
    dim = len(covariance)
    if count is None or count >= dim:
        variances, columns = np.linalg.eigh(covariance)
    else:  # some of thousands take a fraction of the time of all
        variances, columns = linalg.eigh(covariance, subset_by_index=[dim - count, dim - 1])
    axes = columns[:, ::-1].T
    leading = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), leading])  # LAPACK leaves them open
    return variances[::-1], axes * signs[:, None]


def equalizing_rotation(variances: Vector) -> Vector:
    """Returns a rotation after which uncorrelated coordinates have equal variances.

    For a width that is a power of two this is Sylvester's Hadamard matrix: all entries are
    ±1/sqrt(n), so that every new variance is the mean of the old ones. No such real matrix exists
    for most other widths. They get the matrix of the discrete Hartley transform,
    cas(2 pi j k / n) / sqrt(n), whose variances are only nearly equal, followed by at most n - 1
    plane rotations, each of which makes one more variance equal to the mean. Of the two angles that
    do so the smaller is taken: it changes the mixing of the coordinates least.

    Args:
        variances: shape (n,), non-negative.

    Returns:
        Shape (n, n), orthonormal; the diagonal of H diag(variances) Hᵀ is constant.

    Source: Hadamard rotation: Ranzinger et al. 2024 (PHI-S); Hartley transform: Bracewell 1983;
        plane rotations: Bendel & Mickey 1978, in the form of Davies & Higham 2000.
    """
    count = len(variances)
    if count & (count - 1) == 0:
        return _sylvester(count)
    rotation = _hartley(count)
    weights = variances / (variances.mean() or 1)
    rotated = np.square(rotation) @ weights
    for _ in range(count - 1):
        low, high = int(rotated.argmin()), int(rotated.argmax())
        below, above = rotated[low] - 1, rotated[high] - 1
        if below >= -_TOLERANCE or above <= _TOLERANCE:
            break
        shared = (rotation[low] * weights) @ rotation[high]
        root = np.sqrt(shared**2 - below * above)  # below * above < 0: never zero
        tangent = -below / (shared + np.copysign(root, shared))
        cosine = 1 / np.hypot(1, tangent)
        turn = cosine * np.array([[1, tangent], [-tangent, 1]])
        rotation[[low, high]] = turn @ rotation[[low, high]]
        rotated[[low, high]] = 1, 1 + below + above
    return rotation


def _sylvester(count: int) -> Vector:
    matrix = np.ones((1, 1))
    while len(matrix) < count:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.sqrt(count)


def _hartley(count: int) -> Vector:
    places = np.arange(count)
    angles = 2 * np.pi / count * (np.outer(places, places) % count)
    return (np.cos(angles) + np.sin(angles)) / np.sqrt(count)
