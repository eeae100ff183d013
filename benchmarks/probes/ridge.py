"""Ridge regression for a whole path of penalties, from one tridiagonal matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from molkd.benchmarks.probes import krylov, shifted
from molkd.benchmarks.probes.design import NARROW
from molkd.benchmarks.probes.standardised import Standardised
from molkd.benchmarks.tasks.task import Labels


def ridge_path(
    rows: Standardised,
    y: Labels,
    penalties: Sequence[float],
    *,
    gram: Labels | None = None,
    held: krylov.Held | None = None,
) -> tuple[Labels, Labels]:
    """Returns the least of |y - Z w - b|^2 + penalty |w|^2 for each penalty.

    Args:
        rows: of the design; those for training are fitted to.
        y: shape (n,), of the training rows.
        penalties: positive.
        gram: Z^T Z of the training rows less their means, where it is known.
        held: where the best penalty alone is asked: see `krylov.Held`. Then fits that are worse
            beyond doubt may be left unfinished.

    Returns:
        Coefficients of shape (d, penalties) and intercepts of shape (penalties,).
    """
    middle = float(y.mean())
    right = np.zeros(rows.design.shape[0])
    right[rows.train] = y - middle
    average = rows.transposed_times(rows.mask[np.newaxis])[0] / len(y)
    coefficients = None
    if gram is None and rows.design.shape[1] > NARROW:
        coefficients = krylov.solutions(rows, right, penalties, held)
    if coefficients is None:
        coefficients = _direct(rows, right, average, penalties, gram)
    return coefficients, middle - average @ coefficients


def _direct(
    rows: Standardised,
    right: Labels,
    average: Labels,
    penalties: Sequence[float],
    gram: Labels | None,
) -> Labels:
    """All of them from X^T X, or from X X^T where that is smaller."""
    if gram is None:
        whole = rows.matrix(rows.train) - average
        if len(whole) < whole.shape[1]:
            duals = shifted.solutions(whole @ whole.T, right[rows.train], penalties)
            return whole.T @ duals
        gram = whole.T @ whole
    side = rows.transposed_times(right[np.newaxis])[0]
    return shifted.solutions(gram, side, penalties)


class Grams:
    """Z^T Z of training rows less their means: that of all rows, less that of the others."""

    def __init__(self) -> None:
        """Knows none yet."""
        self._whole: Labels | None = None

    def of(self, rows: Standardised) -> Labels:
        """Returns that of one split of a design without sparse columns, shape (d, d)."""
        dense, n = rows.design.dense, len(rows.train)
        others = dense[rows.mask == 0]
        if len(others) < n:
            if self._whole is None:
                self._whole = dense.T @ dense
            gram = self._whole - others.T @ others
        else:
            gram = dense[rows.train].T @ dense[rows.train]
        gram -= n * np.multiply.outer(*[dense[rows.train].mean(axis=0)] * 2)
        return gram * np.multiply.outer(rows.factor, rows.factor)
