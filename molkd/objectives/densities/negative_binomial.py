"""Counts whose variance exceeds their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from molkd.objectives.densities.base import bounded, double, full, unbounded
from molkd.objectives.densities.poisson import LOG_RATES, Poisson, mean_count
from molkd.tensors import TargetSpec
from molkd.types import Support

_LOG_DISPERSIONS = (-16.0, 4.0)
_START_DISPERSION = 0.1
_BISECTIONS = 24


@dataclass(frozen=True)
class NegativeBinomial:
    """A bounded mean and a bounded dispersion per count: variance = mean + dispersion mean^2.

    At the lower bound of the dispersion, 1e-7, it is a Poisson. Outputs are log means, then log
    dispersions.
    """

    support: ClassVar[Support] = "counts"

    def width(self, dim: int) -> int:
        """A mean and a dispersion per count."""
        return 2 * dim

    def start(self, spec: TargetSpec) -> Tensor:
        """The mean counts, with little dispersion: a spec does not know their variance."""
        log_dispersion = torch.full((spec.dim,), _START_DISPERSION).log()
        raw = unbounded(log_dispersion, *_LOG_DISPERSIONS)
        return torch.cat([Poisson().start(spec), raw])

    def marginal(self, targets: Tensor) -> Tensor:
        """Mean counts, half a count added; and the dispersion that is then most likely.

        Given the mean, the likelihood has one maximum in the dispersion; it is bisected.
        """
        counts = double(targets)
        mean = double(mean_count(targets))
        low, high = (torch.full_like(mean, bound) for bound in _LOG_DISPERSIONS)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            rising = _slope(counts, mean, middle) > 0
            low, high = torch.where(rising, middle, low), torch.where(rising, high, middle)
        raw = unbounded((low + high) / 2, *_LOG_DISPERSIONS)
        fitted = torch.cat([unbounded(mean.log(), *LOG_RATES), raw])
        return fitted.to(full(targets).dtype)

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Of the Poisson of the same mean: a spec does not know the variance."""
        return Poisson().entropy(spec)

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Minus the log-likelihood, summed over counts.

        With r = 1 / dispersion it is log t! + (t + r) log(1 + mean / r) - t log mean
        - (log Gamma(t + r) - log Gamma(r) - t log r). In float64: the last bracket is a small
        difference of large numbers where the dispersion is small.
        """
        log_mean, log_dispersion = map(double, self._parts(full(outputs)))
        count, size = double(target), torch.exp(-log_dispersion)
        rising = torch.lgamma(count + size) - torch.lgamma(size) + count * log_dispersion
        excess = (count + size) * torch.log1p(torch.exp(log_mean + log_dispersion))
        nats = torch.lgamma(count + 1) + excess - count * log_mean - rising
        return nats.sum(dim=-1).to(full(outputs).dtype)

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """The mean, and the root of mean + dispersion mean^2."""
        log_mean, log_dispersion = self._parts(full(outputs))
        mean = log_mean.exp()
        return mean, (mean + torch.exp(log_dispersion + 2 * log_mean)).sqrt()

    def _parts(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        mean, dispersion = outputs.chunk(2, dim=-1)
        return bounded(mean, *LOG_RATES), bounded(dispersion, *_LOG_DISPERSIONS)


def _slope(counts: Tensor, mean: Tensor, log_dispersion: Tensor) -> Tensor:
    """Shape (dim,): derivative of the mean log-likelihood by the log dispersion."""
    size = torch.exp(-log_dispersion)
    by_size = (
        torch.digamma(counts + size)
        - torch.digamma(size)
        - torch.log1p(mean / size)
        + (mean - counts) / (mean + size)
    )
    return -size * by_size.mean(dim=0)
