"""Ridge regression for a whole path of penalties, from one tridiagonal decomposition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from molkd.benchmarks.probes import shifted
from molkd.benchmarks.probes.design import Design
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix


def ridge_path(x: Matrix, y: Labels, penalties: Sequence[float]) -> tuple[Labels, Labels]:
    """Returns the least of |y - X w - b|^2 + penalty |w|^2 for each penalty.

    The smaller of X^T X and X X^T is brought to tridiagonal form once; then every penalty is a
    solution of a tridiagonal system. See `shifted`.

    Args:
        x: shape (n, d), float32.
        y: shape (n,).
        penalties: positive.

    Returns:
        Coefficients of shape (d, penalties) and intercepts of shape (penalties,).
    """
    centred, middle = Design.of(x).centred(), float(y.mean())
    if len(x) < x.shape[1]:
        duals = shifted.solutions(centred.kernel(), y - middle, penalties)
        coefficients = centred.transposed_times(duals)
    else:
        right = centred.transposed_times(y - middle)
        coefficients = shifted.solutions(centred.gram(), right, penalties)
    placed = np.empty_like(coefficients)
    placed[centred.order] = coefficients
    return placed, middle - centred.mean @ coefficients
