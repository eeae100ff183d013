"""Several normal densities at once, for targets that one input leaves in several places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from molkd.errors import ConfigError
from molkd.objectives.densities.base import GAUSSIAN_ENTROPY, double, full, spread
from molkd.objectives.densities.gaussian import (
    HIGHEST_LOG_SD,
    SMALLEST_SD,
    check_smallest,
    log_sd_of_raw,
    raw_of_log_sd,
)
from molkd.tensors import TargetSpec
from molkd.types import Support

_EM_STEPS = 100


@dataclass(frozen=True)
class Mixture:
    """A mixture of diagonal Gaussians over whole rows, weighted by a softmax.

    Outputs are the logits of the components, then their means, then their scales.

    Attributes:
        components: at least 2.
        smallest_sd: lower bound of the standard deviations, as a share of the marginal one.
    """

    components: int = 8
    smallest_sd: float = SMALLEST_SD
    support: ClassVar[Support] = "real"

    def __post_init__(self) -> None:
        if self.components < 2:
            raise ConfigError(
                f"a mixture has at least 2 components, not {self.components}; for one component, "
                "choose 'gaussian'"
            )
        check_smallest(self.smallest_sd)

    def width(self, dim: int) -> int:
        """Per component a logit, and a mean and a scale per dimension."""
        return self.components * (1 + 2 * dim)

    def start(self, spec: TargetSpec) -> Tensor:
        """Equal weights, and means a little apart; mean 0 and sd 1 per dimension as a whole.

        The means are about 1 from the origin (0.5 in one dimension), whatever the dimension: far
        enough that components claim different rows, so near that the start costs less than a nat.
        """
        means = spread(self.components, spec.dim)
        means = min(0.5, spec.dim**-0.5) * (means - means.mean(dim=0))
        log_sd = 0.5 * torch.log1p(-means.square().mean(dim=0)).expand_as(means)
        return self._joined(torch.zeros(self.components), means, log_sd)

    def marginal(self, targets: Tensor) -> Tensor:
        """A local maximum of the likelihood, by expectation maximisation.

        It starts from groups of equal size along the leading principal component.
        """
        values = double(targets)
        shares = _groups(values, self.components)
        for _ in range(_EM_STEPS - 1):
            shares = _responsibilities(values, *self._fitted(values, shares))
        return self._joined(*self._fitted(values, shares)).to(full(targets).dtype)

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Of the standard normal: real targets are standardised."""
        return torch.full((spec.dim,), GAUSSIAN_ENTROPY)

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Minus the log of the weighted sum of the components' likelihoods."""
        log_weight, mean, log_sd = self._parts(outputs)
        error = (full(target)[:, None] - mean) * torch.exp(-log_sd)
        nats = (0.5 * (math.log(2 * math.pi) + error.square()) + log_sd).sum(dim=-1)
        return -torch.logsumexp(log_weight - nats, dim=-1)

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Of the whole mixture, by the law of total variance."""
        log_weight, means, log_sd = self._parts(outputs)
        weight = log_weight.exp()[..., None]
        mean = (weight * means).sum(dim=-2)
        apart = means - mean[..., None, :]
        variance = (weight * (torch.exp(2 * log_sd) + apart.square())).sum(dim=-2)
        return mean, variance.sqrt()

    def _parts(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights (..., K), means and log standard deviations (..., K, dim)."""
        outputs = full(outputs)
        logits, rest = outputs[..., : self.components], outputs[..., self.components :]
        means, raw = rest.unflatten(-1, (2, self.components, -1)).unbind(dim=-3)
        return torch.log_softmax(logits, dim=-1), means, log_sd_of_raw(raw, self.smallest_sd)

    def _joined(self, logits: Tensor, means: Tensor, log_sd: Tensor) -> Tensor:
        """Inverts `_parts`, for one density."""
        raw = raw_of_log_sd(log_sd, self.smallest_sd)
        return torch.cat([logits, means.flatten(), raw.flatten()])

    def _fitted(self, values: Tensor, shares: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The most likely log weights, means and log scales when rows are shared out like this."""
        total = shares.sum(dim=0).clamp(min=1e-6)[:, None]
        means = shares.T @ values / total
        variance = shares.T @ values.square() / total - means.square()
        log_sd = 0.5 * variance.clamp(min=1e-12).log()
        log_sd = log_sd.clamp(math.log(self.smallest_sd), HIGHEST_LOG_SD)
        return (total[:, 0] / len(values)).log(), means, log_sd


def _groups(values: Tensor, count: int) -> Tensor:
    """Shape (n, count): 1 where a row is in a group; groups are cut along the main direction."""
    centred = values - values.mean(dim=0)
    direction = spread(1, values.shape[1])[0].to(values)
    for _ in range(20):  # power iteration
        direction = centred.T @ (centred @ direction)
        direction = direction / direction.norm().clamp(min=1e-12)
    rank = (centred @ direction).argsort().argsort()
    group = torch.div(rank * count, len(values), rounding_mode="floor")
    return torch.nn.functional.one_hot(group, count).to(values)


def _responsibilities(values: Tensor, logits: Tensor, means: Tensor, log_sd: Tensor) -> Tensor:
    """Shape (n, K): the probability of each component, given the row."""
    precision = torch.exp(-2 * log_sd)
    squares = (
        values.square() @ precision.T
        - 2 * values @ (precision * means).T
        + (precision * means.square()).sum(dim=1)
    )
    return torch.softmax(logits - log_sd.sum(dim=1) - 0.5 * squares, dim=1)
