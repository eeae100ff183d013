"""Labelled data whose best achievable score is known in closed form."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.stats import norm

from molkd.benchmarks.probes import Part

Sample = tuple[np.ndarray, np.ndarray]


def gaussian_line(n: int, d: int, *, r2: float, seed: int = 0) -> Sample:
    """Independent normal columns, and y of variance 1 that is linear in them plus normal noise.

    The mean of y given x explains the share `r2` of its variance; nothing explains more.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    signal = x.sum(axis=1) / np.sqrt(d)
    return x.astype(np.float32), np.sqrt(r2) * signal + np.sqrt(1 - r2) * rng.normal(size=n)


def two_gaussians(n: int, d: int, *, distance: float, share: float = 0.5, seed: int = 0) -> Sample:
    """Two classes, each normal with unit covariance, their means `distance` apart.

    The likelihood ratio grows with the projection on the line between the means, so that the best
    AUROC is the probability that one of two normal draws of variance 1 is above the other:
    `best_auroc`.
    """
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(np.float64)
    x = rng.normal(size=(n, d)) + y[:, None] * distance / np.sqrt(d)
    return x.astype(np.float32), y


def best_auroc(distance: float) -> float:
    """Phi(distance / sqrt 2)."""
    return float(norm.cdf(distance / np.sqrt(2)))


def gaussian_classes(n: int, d: int, *, classes: int, distance: float, seed: int = 0) -> Sample:
    """Classes as frequent as each other, normal with unit covariance, their means on a line.

    Means of neighbours are `distance` apart. Only the place along the line tells the class, and the
    nearest mean is the best guess: see `best_accuracy`.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n).astype(np.float64)
    x = rng.normal(size=(n, d)) + y[:, None] * distance / np.sqrt(d)
    return x.astype(np.float32), y


def best_accuracy(classes: int, distance: float) -> float:
    """Half-way to a neighbour a class is left: by one side at both ends, by two in between."""
    inside = norm.cdf(distance / 2)
    return float((2 * inside + (classes - 2) * (2 * inside - 1)) / classes)


def parts(sample: Sample, *sizes: int) -> list[Part]:
    """Cuts a sample into consecutive parts."""
    ends = np.cumsum((0, *sizes))
    x, y = sample
    return [Part(x[a:b], y[a:b]) for a, b in pairwise(ends)]
