"""A normal density whose dimensions are correlated, at a cost linear in their number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from molkd.errors import ConfigError
from molkd.objectives.densities.base import (
    GAUSSIAN_ENTROPY,
    bounded,
    double,
    full,
    spread,
    unbounded,
)
from molkd.objectives.densities.gaussian import (
    HIGHEST_LOG_SD,
    SMALLEST_SD,
    check_smallest,
    log_sd_of_raw,
    raw_of_log_sd,
)
from molkd.tensors import TargetSpec
from molkd.types import Support

_LARGEST = math.exp(HIGHEST_LOG_SD)
_START_SHARE = 0.01
_EM_STEPS = 200


@dataclass(frozen=True)
class LowRank:
    """Normal with covariance diag(sd^2) + F F^T, where F has a few columns.

    Mean, sd and F all depend on the input. Outputs are means, then scales, then F row by row.
    Entries of F are bounded like standard deviations.

    Attributes:
        rank: columns of F, at least 1.
        smallest_sd: lower bound of sd, as a share of the marginal standard deviation.
    """

    rank: int = 16
    smallest_sd: float = SMALLEST_SD
    support: ClassVar[Support] = "real"

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ConfigError(
                f"the rank is at least 1, not {self.rank}; for none, choose 'gaussian'"
            )
        check_smallest(self.smallest_sd)

    def width(self, dim: int) -> int:
        """A mean, a scale and a row of F per dimension."""
        return (2 + self.rank) * dim

    def start(self, spec: TargetSpec) -> Tensor:
        """Mean 0, sd 1, and small factors: with F = 0 none of them would get a gradient."""
        factors = spread(self.rank, spec.dim).T * math.sqrt(_START_SHARE / self.rank)
        log_sd = 0.5 * torch.log1p(-factors.square().sum(dim=1))
        return self._joined(torch.zeros(spec.dim), log_sd, factors)

    def marginal(self, targets: Tensor) -> Tensor:
        """Sample mean, and factors near a maximum of the likelihood.

        By the expectation maximisation of factor analysis, 200 steps, within the bounds.

        Source: Rubin & Thayer 1982, "EM algorithms for ML factor analysis".
        """
        values = double(targets)
        mean = values.mean(dim=0)
        centred = values - mean
        variance = centred.square().mean(dim=0)
        low = self.smallest_sd**2
        factors = (
            spread(self.rank, len(mean)).T.to(values) * (variance / 2 / self.rank).sqrt()[:, None]
        )
        noise = (variance / 2).clamp(low, _LARGEST**2)
        eye = torch.eye(self.rank).to(values)
        for _ in range(_EM_STEPS):
            scaled = factors / noise[:, None]
            spare = torch.linalg.inv(eye + factors.T @ scaled)  # covariance of the factors
            scores = centred @ scaled @ spare
            cross = centred.T @ scores / len(values)
            factors = cross @ torch.linalg.inv(spare + scores.T @ scores / len(values))
            factors = factors.clamp(-_LARGEST, _LARGEST)
            noise = (variance - (factors * cross).sum(dim=1)).clamp(low, _LARGEST**2)
        return self._joined(mean, 0.5 * noise.log(), factors).to(full(targets).dtype)

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Of the standard normal: real targets are standardised."""
        return torch.full((spec.dim,), GAUSSIAN_ENTROPY)

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Exact, by Woodbury's identity and the matrix determinant lemma.

        With A = diag(1 / sd) F, e = (t - mean) / sd and L L^T = I + A^T A, it is half of
        dim log(2 pi) + |e|^2 - |L^-1 A^T e|^2, plus the logs of sd and of L's diagonal. Nothing is
        larger than b x dim x rank. In float64, since the two squares may nearly cancel.
        """
        with torch.autocast(outputs.device.type, enabled=False):
            mean, log_sd, factors = map(double, self._parts(full(outputs)))
            inverse = torch.exp(-log_sd)
            error = (double(target) - mean) * inverse
            scaled = factors * inverse[..., None]
            gram = scaled.mT @ scaled + torch.eye(self.rank).to(scaled)
            # Not `cholesky`, which waits for the device and raises where an output is NaN.
            lower = torch.linalg.cholesky_ex(gram).L
            projected = (error[:, None] @ scaled).mT
            explained = torch.linalg.solve_triangular(lower, projected, upper=False)
            square = error.square().sum(dim=-1) - explained.square().sum(dim=(-2, -1))
            log_det = log_sd.sum(dim=-1) + lower.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
            nats = 0.5 * (target.shape[-1] * math.log(2 * math.pi) + square) + log_det
        return nats.to(full(outputs).dtype)

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """The mean, and the root of the covariance's diagonal."""
        mean, log_sd, factors = self._parts(full(outputs))
        return mean, (torch.exp(2 * log_sd) + factors.square().sum(dim=-1)).sqrt()

    def _parts(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Means and log standard deviations (..., dim), factors (..., dim, rank)."""
        dim = outputs.shape[-1] // (2 + self.rank)
        mean, raw, factors = outputs.split([dim, dim, dim * self.rank], dim=-1)
        factors = bounded(factors.unflatten(-1, (dim, self.rank)), -_LARGEST, _LARGEST)
        return mean, log_sd_of_raw(raw, self.smallest_sd), factors

    def _joined(self, mean: Tensor, log_sd: Tensor, factors: Tensor) -> Tensor:
        """Inverts `_parts`, for one density."""
        raw = raw_of_log_sd(log_sd, self.smallest_sd)
        return torch.cat([mean, raw, unbounded(factors, -_LARGEST, _LARGEST).flatten()])
