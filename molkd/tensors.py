"""What student, bank and objective hand each other during training, as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from molkd.types import Support


@dataclass(frozen=True, slots=True)
class Features:
    """What a student says about a batch.

    Attributes:
        embedding: shape (b, d).
        layers: shape (b, d_l) each, pooled states from shallow to deep; empty unless asked for.
    """

    embedding: Tensor
    layers: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """The form in which one teacher reaches the objective.

    Attributes:
        dim: width after constant columns were dropped and PCA, if any, was applied.
        support: "real" for standardised values, "bits" and "counts" for values as they are.
        mean: shape (dim,), over the training rows; starts discrete densities at their marginal.
    """

    dim: int
    support: Support
    mean: Tensor


@dataclass(frozen=True, slots=True)
class Targets:
    """Teacher rows of a batch.

    Attributes:
        values: teacher -> shape (b, d_k); rows that are not present are zero.
        present: teacher -> shape (b,), bool; False where the teacher failed.
    """

    values: Mapping[str, Tensor]
    present: Mapping[str, Tensor]

    def to(self, device: torch.device) -> Targets:
        """Returns the targets on a device."""
        return Targets(
            {name: value.to(device, non_blocking=True) for name, value in self.values.items()},
            {name: mask.to(device, non_blocking=True) for name, mask in self.present.items()},
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """What an objective says about a batch.

    Attributes:
        total: shape (), what is minimised.
        parts: teacher -> shape (), detached, in the objective's unit; NaN where no row is present.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
