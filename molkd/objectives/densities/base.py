"""What every conditional density is, and the arithmetic that several of them share.

A density says what a head's outputs mean: it turns them into the likelihood of a teacher's values,
and into a prediction with its uncertainty. It holds no weights.
"""

from __future__ import annotations

import math
from dataclasses import Field
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from molkd.tensors import TargetSpec
from molkd.types import Support

GAUSSIAN_ENTROPY = 0.5 * math.log(2 * math.pi * math.e)
"""Nats of one standard normal dimension."""


class Density(Protocol):
    """A family of densities over the rows of a target: a frozen dataclass of its options.

    Every option has a default; in a string such as "mixture:8" they follow the name in order.
    Outputs have shape (b, width), or (width,) for one density that all rows share. Arithmetic is
    in float32 or better, whatever precision the head ran in.

    Attributes:
        support: the form of target that it models.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    support: ClassVar[Support]

    def width(self, dim: int) -> int:
        """Numbers that a head gives for a target of dim dimensions."""
        ...

    def start(self, spec: TargetSpec) -> Tensor:
        """Shape (width,): the bias of a head that begins at, or near, the marginal density."""
        ...

    def marginal(self, targets: Tensor) -> Tensor:
        """Shape (width,): the most likely member for targets of shape (n, dim)."""
        ...

    def entropy(self, spec: TargetSpec) -> Tensor:
        """Shape (dim,): nats of each dimension's marginal, to weigh teachers by information."""
        ...

    def nll(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of whole rows.

        Args:
            outputs: shape (b, width) or (width,).
            target: shape (b, dim).

        Returns:
            Shape (b,), nats; differential for real targets, so possibly negative.
        """
        ...

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """What is predicted, and how surely.

        Args:
            outputs: shape (b, width) or (width,).

        Returns:
            Mean and standard deviation of each dimension given the input, in the target's own
            units: shape (b, dim) or (dim,) each.
        """
        ...


def bounded(raw: Tensor, low: float, high: float) -> Tensor:
    """Maps the real line smoothly onto (low, high), with slope 1 in the middle."""
    return low + (high - low) * torch.sigmoid(4 / (high - low) * raw)


def unbounded(value: Tensor, low: float, high: float) -> Tensor:
    """Inverts `bounded`; values outside the bounds are moved just inside."""
    share = (value - low) / (high - low)
    return torch.logit(share, eps=1e-4) * (high - low) / 4


def full(values: Tensor) -> Tensor:
    """At least float32: likelihoods are not summed in half precision."""
    return values if values.dtype == torch.float64 else values.float()


def double(values: Tensor) -> Tensor:
    """In float64 where the device has it (MPS has not): for differences of large numbers."""
    return values.float() if values.device.type == "mps" else values.double()


def spread(count: int, dim: int) -> Tensor:
    """Shape (count, dim): fixed numbers of mean square about 1, with no two rows alike.

    Cosines at multiples of the golden ratio, whose phases are evenly spread. They start parts of
    a density that would get equal gradients, for ever, if they started equal.
    """
    turns = torch.outer(torch.arange(1, count + 1), torch.arange(1, dim + 1)).double()
    phase = 2 * math.pi * torch.frac(turns * (math.sqrt(5) - 1) / 2)
    return (math.sqrt(2) * torch.cos(phase)).float()
