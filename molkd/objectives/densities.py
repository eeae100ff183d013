"""Families of conditional densities: what a head's outputs mean, and the likelihood they give.

Each family reads one form of target: "real" standardised values, "bits" or "counts" as they are.
All arithmetic is in float32 or better, whatever precision the head ran in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from molkd.tensors import TargetSpec
from molkd.types import Support

GAUSSIAN_ENTROPY = 0.5 * math.log(2 * math.pi * math.e)
"""Nats of one standard normal dimension."""


class Density(Protocol):
    """A family of densities that factorises over the dimensions of a target.

    Attributes:
        support: the form of target that it models.
        outputs: numbers that a head gives per dimension.
    """

    support: ClassVar[Support]
    outputs: ClassVar[int]

    def start(self, spec: TargetSpec) -> Tensor:
        """Shape (outputs * dim,): the bias of a head that begins at the marginal density."""
        ...

    def marginal(self, targets: Tensor) -> Tensor:
        """Shape (outputs * dim,): the maximum-likelihood member for targets of shape (n, dim)."""
        ...

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Shape (dim,): nats of each dimension's marginal, to weigh teachers by information."""
        ...

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of each dimension.

        Args:
            outputs: shape (b, outputs * dim) or (outputs * dim,).
            target: shape (b, dim).

        Returns:
            Shape (b, dim), nats; differential for real targets, so possibly negative.
        """
        ...


class Gaussian:
    """Normal, with a mean and a bounded log standard deviation per dimension.

    The lower bound keeps a dimension that the student can copy exactly from dominating the sum;
    the bounds are smooth, so that a gradient leads back from either side.
    """

    support: ClassVar[Support] = "real"
    outputs: ClassVar[int] = 2
    low, high = -4.0, 2.0

    def start(self, spec: TargetSpec) -> Tensor:
        """Mean 0, sd 1: real targets are standardised."""
        log_sd = unbounded(torch.zeros(spec.dim), self.low, self.high)
        return torch.cat([torch.zeros(spec.dim), log_sd])

    def marginal(self, targets: Tensor) -> Tensor:
        """Sample mean and standard deviation."""
        log_sd = targets.std(dim=0, correction=0).log()
        return torch.cat([targets.mean(dim=0), unbounded(log_sd, self.low, self.high)])

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Of the standard normal."""
        return torch.full((spec.dim,), GAUSSIAN_ENTROPY)

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Half a log(2 pi), plus log sd, plus (t - mean)^2 / (2 sd^2)."""
        mean, raw = _full(outputs).chunk(2, dim=-1)
        log_sd = bounded(raw, self.low, self.high)
        error = (target - mean) * torch.exp(-log_sd)
        return 0.5 * (math.log(2 * math.pi) + error.square()) + log_sd


class Bernoulli:
    """A logit per bit."""

    support: ClassVar[Support] = "bits"
    outputs: ClassVar[int] = 1

    def start(self, spec: TargetSpec) -> Tensor:
        """Logits of the frequencies."""
        return torch.logit(spec.mean, eps=1e-4)

    def marginal(self, targets: Tensor) -> Tensor:
        """Logits of the frequencies, half a count added to either side."""
        return torch.logit((targets.sum(dim=0) + 0.5) / (len(targets) + 1))

    def entropy(self, spec: TargetSpec) -> Tensor:
        """-p log p - (1 - p) log(1 - p)."""
        return torch.distributions.Bernoulli(probs=spec.mean).entropy()

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Binary cross-entropy of the logits."""
        logits = _full(outputs).expand(target.shape)
        return functional.binary_cross_entropy_with_logits(logits, target, reduction="none")


class Poisson:
    """A bounded log rate per count."""

    support: ClassVar[Support] = "counts"
    outputs: ClassVar[int] = 1
    low, high = -10.0, 10.0

    def start(self, spec: TargetSpec) -> Tensor:
        """Log of the mean counts."""
        return unbounded(spec.mean.log(), self.low, self.high)

    def marginal(self, targets: Tensor) -> Tensor:
        """Log of the mean counts, half a count added."""
        rate = (targets.sum(dim=0) + 0.5) / (len(targets) + 1)
        return unbounded(rate.log(), self.low, self.high)

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
        """The rate, minus t log rate, plus log t!."""
        log_rate = bounded(_full(outputs), self.low, self.high)
        return log_rate.exp() - target * log_rate + torch.lgamma(target + 1)


DENSITIES: Mapping[str, Density] = {
    "gaussian": Gaussian(),
    "bernoulli": Bernoulli(),
    "poisson": Poisson(),
}
"""By name; a further family is a class here and a line in this table."""

DEFAULT_DENSITIES: Mapping[Support, str] = {
    "real": "gaussian",
    "bits": "bernoulli",
    "counts": "poisson",
}
"""The family for each form of target."""


def bounded(raw: Tensor, low: float, high: float) -> Tensor:
    """Maps the real line smoothly onto (low, high), with slope 1 in the middle."""
    return low + (high - low) * torch.sigmoid(4 / (high - low) * raw)


def unbounded(value: Tensor, low: float, high: float) -> Tensor:
    """Inverts `bounded`; values outside the bounds are moved just inside."""
    share = (value - low) / (high - low)
    return torch.logit(share, eps=1e-4) * (high - low) / 4


def _full(outputs: Tensor) -> Tensor:
    """At least float32: likelihoods are not summed in half precision."""
    return outputs if outputs.dtype == torch.float64 else outputs.float()
