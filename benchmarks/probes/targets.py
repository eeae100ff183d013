"""What probes fit in regression: labels, scaled by statistics of training rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from molkd.benchmarks.tasks.task import Labels, LabelScale
from molkd.errors import InputError
from molkd.types import Rows

DECADES = 100.0
"""Predicted logarithms are cut off so many decades from 1, so that their squares stay finite."""


@dataclass(frozen=True, slots=True)
class TargetScaler:
    """Maps labels to mean 0 and sd 1 on the training rows, after a logarithm where asked.

    Attributes:
        scale: "log10" where decadic logarithms are standardised.
        mean: of the training labels, or of their logarithms.
        sd: likewise, positive.
    """

    scale: LabelScale
    mean: float
    sd: float

    @classmethod
    def fit(cls, train_y: Labels, *, scale: LabelScale, rows: Rows | None = None) -> Self:
        """Fits the scaler on the labels of training rows.

        Args:
            train_y: shape (n,), in the unit of the table.
            scale: of the task.
            rows: shape (n,), their rows in the table, for messages; 0 to n - 1 unless given.

        Raises:
            InputError: there is no label, one is not finite or has no logarithm, or all are equal.
        """
        values = _scaled(train_y, scale, rows)
        if not len(values):
            raise InputError("no training labels")
        if values.min() == values.max():
            raise InputError(
                f"all {len(values)} training labels are {train_y[0]:g}: nothing can be learnt; "
                "leave the task out"
            )
        middle = values.min() / 2 + values.max() / 2  # squares of what is far from 0 lose digits
        centred = values - middle
        return cls(scale, float(middle + centred.mean()), float(centred.std()))

    def transform(self, y: Labels, *, rows: Rows | None = None) -> Labels:
        """Returns what a probe is fitted to, or chosen on; shape (n,), float64.

        Raises:
            InputError: a label is not finite or has no logarithm.
        """
        return (_scaled(y, self.scale, rows) - self.mean) / self.sd

    def inverse(self, predicted: Labels) -> Labels:
        """Returns predictions in the unit of the table; shape (m,), float64, finite."""
        values = predicted.astype(np.float64) * self.sd + self.mean
        return values if self.scale == "linear" else 10 ** np.clip(values, -DECADES, DECADES)


def _scaled(y: Labels, scale: LabelScale, rows: Rows | None) -> Labels:
    allowed = np.isfinite(y) if scale == "linear" else np.isfinite(y) & (y > 0)
    bad = np.flatnonzero(~allowed)
    if len(bad):
        row = bad[0] if rows is None else rows[bad[0]]
        expected = "a finite number" if scale == "linear" else "positive, as log10 demands"
        raise InputError(f"row {row}: label {y[bad[0]]:g} is not {expected}")
    values = y.astype(np.float64)
    return values if scale == "linear" else np.log10(values)
