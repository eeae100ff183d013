"""Statistics over a table of scores, tasks by embedders: means, ranks, paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, wilcoxon

Scores = npt.NDArray[np.float64]
"""Shape (t, e): one row per task, one column per embedder; more is better."""


def mean_ranks(scores: Scores) -> npt.NDArray[np.float64]:
    """Returns the mean over tasks of each embedder's rank, 1 for the best; shape (e,)."""
    return np.asarray(rankdata(-scores, axis=1).mean(axis=0))


def against(scores: Scores, labels: Sequence[str], reference: str) -> dict[str, dict[str, float]]:
    """Compares a reference embedder with every other, paired over the tasks.

    Args:
        scores: shape (t, e).
        labels: e names.
        reference: one of the labels.

    Returns:
        Label -> wins and losses of the reference, mean difference (reference minus other), and the
        p-value of the two-sided Wilcoxon signed-rank test, raw and after Holm's correction.
    """
    own = scores[:, labels.index(reference)]
    differences = {
        label: own - scores[:, column] for column, label in enumerate(labels) if label != reference
    }
    raw = {label: _wilcoxon(difference) for label, difference in differences.items()}
    corrected = holm(raw)
    return {
        label: {
            "wins": int((difference > 0).sum()),
            "losses": int((difference < 0).sum()),
            "mean_difference": float(difference.mean()),
            "p": raw[label],
            "p_holm": corrected[label],
        }
        for label, difference in differences.items()
    }


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Corrects p-values for their number by Holm's step-down method."""
    ordered = sorted(p, key=lambda name: p[name])
    corrected: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - place) * p[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p}


def _wilcoxon(difference: npt.NDArray[np.float64]) -> float:
    if not difference.any():
        return 1.0
    return float(cast("Any", wilcoxon(difference)).pvalue)
