"""The normal density, and the bounds on standard deviations that its relatives share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from molkd.errors import ConfigError
from molkd.objectives.densities.base import GAUSSIAN_ENTROPY, bounded, full, unbounded
from molkd.tensors import TargetSpec
from molkd.types import Support

SMALLEST_SD = math.exp(-4)
"""Lower bound of standard deviations, unless chosen; as a share of a standardised dimension's."""

HIGHEST_LOG_SD = 2.0
"""Upper bound of log standard deviations."""


@dataclass(frozen=True)
class Gaussian:
    """Normal, with a mean and a bounded standard deviation per dimension.

    The lower bound keeps a dimension that the student can copy exactly from dominating the sum;
    the bounds are smooth, so that a gradient leads back from either side.

    Attributes:
        smallest_sd: lower bound of the standard deviations, as a share of the marginal one.
    """

    smallest_sd: float = SMALLEST_SD
    support: ClassVar[Support] = "real"

    def __post_init__(self) -> None:
        check_smallest(self.smallest_sd)

    def width(self, dim: int) -> int:
        """Means, then scales."""
        return 2 * dim

    def start(self, spec: TargetSpec) -> Tensor:
        """Mean 0, sd 1: real targets are standardised."""
        zeros = torch.zeros(spec.dim)
        return torch.cat([zeros, raw_of_log_sd(zeros, self.smallest_sd)])

    def marginal(self, targets: Tensor) -> Tensor:
        """Sample mean and standard deviation."""
        values = full(targets)
        log_sd = values.std(dim=0, correction=0).log()
        return torch.cat([values.mean(dim=0), raw_of_log_sd(log_sd, self.smallest_sd)])

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Of the standard normal."""
        return torch.full((spec.dim,), GAUSSIAN_ENTROPY)

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Half a log(2 pi), plus log sd, plus (t - mean)^2 / (2 sd^2), summed over dimensions."""
        mean, raw = full(outputs).chunk(2, dim=-1)
        log_sd = log_sd_of_raw(raw, self.smallest_sd)
        error = (full(target) - mean) * torch.exp(-log_sd)
        return (0.5 * (math.log(2 * math.pi) + error.square()) + log_sd).sum(dim=-1)

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """The parameters themselves."""
        mean, raw = full(outputs).chunk(2, dim=-1)
        return mean, log_sd_of_raw(raw, self.smallest_sd).exp()


def check_smallest(sd: float) -> None:
    """Refuses a lower bound that a standardised dimension could not start above.

    Raises:
        ConfigError: it is not between 0 and 1.
    """
    if not 0 < sd < 1:
        raise ConfigError(
            "the smallest standard deviation is a share of the standardised unit, between 0 and "
            f"1, not {sd:g}"
        )


def log_sd_of_raw(raw: Tensor, smallest: float) -> Tensor:
    """Maps outputs onto log standard deviations within the bounds."""
    return bounded(raw, math.log(smallest), HIGHEST_LOG_SD)


def raw_of_log_sd(log_sd: Tensor, smallest: float) -> Tensor:
    """Inverts `log_sd_of_raw`; values outside the bounds are moved just inside."""
    return unbounded(log_sd, math.log(smallest), HIGHEST_LOG_SD)
