"""How well a linear map from one embedding predicts another one, on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from sklearn.metrics import r2_score

from molkd.items.splits import random_split
from molkd.targets.similarity import Floats
from molkd.types import Rows

STRENGTHS = tuple(10.0**power for power in range(-6, 4))
"""Candidate penalties of the ridge, as multiples of the mean squared singular value."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Rows of a sample, disjoint and ascending.

    Attributes:
        fit: rows that candidates are fitted on.
        choose: rows that the penalty is chosen on.
        train: both.
        test: rows that are scored.
    """

    fit: Rows
    choose: Rows
    train: Rows
    test: Rows

    @classmethod
    def of(cls, keys: Sequence[str], *, seed: int) -> Self:
        """Splits rows 56 : 14 : 30; rows with equal keys fall on one side."""
        train, test = random_split(keys, fraction=0.3, seed=seed)
        inner = [keys[int(row)] for row in train]
        fit, choose = random_split(inner, fraction=0.2, seed=seed + 1)
        return cls(train[fit], train[choose], train, test)


def linear_r2(source: Floats, targets: Sequence[Floats], parts: Parts) -> list[float]:
    """Returns how well a linear map from one embedding predicts others on rows it has not seen.

    Ridge regression: its penalty is chosen for each target on a part of the training rows, then
    all of them are fitted. Unlike `molkd.information.estimate.linear_r2`, which has tens of
    thousands of rows, a sample has often fewer rows than columns, and a fixed penalty would fit
    noise. One decomposition of the source serves all targets and penalties.

    Args:
        source: shape (n, d).
        targets: each of shape (n, k).
        parts: of the n rows.

    Returns:
        One R2 per target: the share of the variance of all its columns that is explained; at most
        1, negative where the mean would predict better; NaN where the target does not vary.
    """
    trial = _Ridge.of(source[parts.fit])
    chosen = [trial.best(source, target, parts) for target in targets]
    final = _Ridge.of(source[parts.train])
    scores: list[float] = []
    for target, strength in zip(targets, chosen, strict=True):
        fitted, truth = target[parts.train], target[parts.test]
        varying = truth.min(axis=0, initial=np.inf) < truth.max(axis=0, initial=-np.inf)
        if not varying.any():
            scores.append(float("nan"))
            continue
        (predicted,) = final.predictions(source[parts.test], fitted[:, varying], [strength])
        score = r2_score(truth[:, varying], predicted, multioutput="variance_weighted")
        scores.append(float(score))
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class _Ridge:
    """A decomposed source, from which ridge regressions on it follow by two products each."""

    mean: Floats
    u: Floats
    s: Floats
    vt: Floats

    @classmethod
    def of(cls, x: Floats) -> Self:
        mean = x.mean(axis=0)
        u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
        return cls(mean, u, s, vt)

    def predictions(self, x: Floats, y: Floats, strengths: Sequence[float]) -> list[Floats]:
        """Fits targets y of the decomposed rows, and predicts those of x, for each strength."""
        centre = y.mean(axis=0)
        inside, weights = (x - self.mean) @ self.vt.T, self.u.T @ (y - centre)
        power = max(float(np.square(self.s).mean()), np.finfo(np.float64).tiny)
        shrunk = [self.s / (np.square(self.s) + strength * power) for strength in strengths]
        return [(inside * factor) @ weights + centre for factor in shrunk]

    def best(self, x: Floats, y: Floats, parts: Parts) -> float:
        """Returns the strength with the least squared error on the rows to choose on."""
        guesses = self.predictions(x[parts.choose], y[parts.fit], STRENGTHS)
        errors = [float(np.square(guess - y[parts.choose]).sum()) for guess in guesses]
        return STRENGTHS[int(np.argmin(errors))]
