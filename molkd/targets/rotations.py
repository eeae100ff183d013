"""Axes of a covariance: principal ones, and rotations of them along which all variances are equal.

All in float64; the same covariance gives the same axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
"""Shape (d,), or (m, d) where said so."""

_LEVEL = 1e-13
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


def principal(covariance: Vector) -> tuple[Vector, Vector]:
    """Finds the principal axes of a covariance.

    Args:
        covariance: shape (d, d), symmetric.

    Returns:
        Variances, shape (d,), falling, and axes of length 1, shape (d, d), one per row; the
        largest entry of each is positive.
    """
    variances, columns = np.linalg.eigh(covariance)
    axes = columns[:, ::-1].T
    leading = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), leading])  # eigenvectors have none of their own
    return variances[::-1], axes * signs[:, None]


def levelling(variances: Vector) -> Vector:
    """Builds the rotation that gives independent coordinates of any variances equal ones.

    Where the width is a power of two this is Sylvester's Hadamard matrix: all its entries are
    ±1/sqrt(n), so that every new coordinate has the mean of the variances, whatever they are.
    Other widths may have no real matrix of such entries (and none but multiples of four has one).
    There it is the matrix of the discrete Hartley transform, cas(2 pi j k / n) / sqrt(n), which
    mixes all coordinates but leaves the variances only nearly equal, followed by at most n - 1
    plane rotations, each of which makes one more variance equal to the mean exactly. Of the two
    angles that do so the smaller is taken, so that the mixing is disturbed least.

    Args:
        variances: shape (n,), non-negative, not all zero.

    Returns:
        Shape (n, n), orthonormal; the diagonal of H diag(variances) Hᵀ is constant.

    Source: Hadamard rotation: Ranzinger et al. 2024 (PHI-S); Hartley transform: Bracewell 1983;
        plane rotations: Bendel & Mickey 1978, in the form of Davies & Higham 2000.
    """
    count = len(variances)
    if count & (count - 1) == 0:
        return _sylvester(count)
    rotation = _hartley(count)
    weights = variances / variances.mean()
    found = np.square(rotation) @ weights
    for _ in range(count - 1):
        low, high = int(found.argmin()), int(found.argmax())
        below, above = found[low] - 1, found[high] - 1
        if below >= -_LEVEL or above <= _LEVEL:
            break
        shared = (rotation[low] * weights) @ rotation[high]
        root = np.sqrt(shared**2 - below * above)  # below * above < 0: never zero
        tangent = -below / (shared + np.copysign(root, shared))
        cosine = 1 / np.hypot(1, tangent)
        turn = cosine * np.array([[1, tangent], [-tangent, 1]])
        rotation[[low, high]] = turn @ rotation[[low, high]]
        found[[low, high]] = 1, 1 + below + above
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
