"""Counts whose variance is their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from molkd.objectives.densities.base import GAUSSIAN_ENTROPY, bounded, full, unbounded
from molkd.tensors import TargetSpec
from molkd.types import Support

LOG_RATES = (-10.0, 10.0)
"""Bounds of the logarithm of a mean count."""


@dataclass(frozen=True)
class Poisson:
    """A bounded log rate per count."""

    support: ClassVar[Support] = "counts"

    def width(self, dim: int) -> int:
        """One log rate per count."""
        return dim

    def start(self, spec: TargetSpec) -> Tensor:
        """Log of the mean counts."""
        return unbounded(spec.mean.log(), *LOG_RATES)

    def marginal(self, targets: Tensor) -> Tensor:
        """Log of the mean counts, half a count added."""
        return unbounded(mean_count(targets).log(), *LOG_RATES)

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Sum of the series over counts up to 150; above a rate of 50, its asymptotic form."""
        rate = spec.mean.double().clamp(min=1e-8)[:, None]
        count = torch.arange(151, dtype=torch.float64)
        log_p = count * rate.log() - rate - torch.lgamma(count + 1)
        series = -(log_p.exp() * log_p).sum(dim=1)
        rate = rate[:, 0]
        asymptotic = GAUSSIAN_ENTROPY + 0.5 * rate.log() - 1 / (12 * rate)
        return torch.where(rate < 50, series, asymptotic).float()

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The rate, minus t log rate, plus log t!, summed over counts."""
        log_rate = bounded(full(outputs), *LOG_RATES)
        count = full(target)
        return (log_rate.exp() - count * log_rate + torch.lgamma(count + 1)).sum(dim=-1)

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """The rate and its root."""
        log_rate = bounded(full(outputs), *LOG_RATES)
        return log_rate.exp(), torch.exp(0.5 * log_rate)


def mean_count(targets: Tensor) -> Tensor:
    """Shape (dim,): means over rows, half a count added so that none is zero."""
    return (full(targets).sum(dim=0) + 0.5) / (len(targets) + 1)
