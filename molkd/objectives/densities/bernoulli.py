"""Bits: a probability each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from molkd.objectives.densities.base import full
from molkd.tensors import TargetSpec
from molkd.types import Support


@dataclass(frozen=True)
class Bernoulli:
    """A logit per bit."""

    support: ClassVar[Support] = "bits"

    def width(self, dim: int) -> int:
        """One logit per bit."""
        return dim

    def start(self, spec: TargetSpec) -> Tensor:
        """Logits of the frequencies."""
        return torch.logit(spec.mean, eps=1e-4)

    def marginal(self, targets: Tensor) -> Tensor:
        """Logits of the frequencies, half a count added to either side."""
        return torch.logit((full(targets).sum(dim=0) + 0.5) / (len(targets) + 1))

    def entropy(self, spec: TargetSpec) -> Tensor:
        """-p log p - (1 - p) log(1 - p)."""
        return torch.distributions.Bernoulli(probs=spec.mean).entropy()

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Binary cross-entropy of the logits, summed over bits."""
        logits = full(outputs).expand(target.shape)
        bits = target.to(logits.dtype)
        each = functional.binary_cross_entropy_with_logits(logits, bits, reduction="none")
        return each.sum(dim=-1)

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """The probability p, and the root of p (1 - p)."""
        logits = full(outputs)
        log_variance = functional.logsigmoid(logits) + functional.logsigmoid(-logits)
        return torch.sigmoid(logits), torch.exp(0.5 * log_variance)
