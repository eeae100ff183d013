"""Standardisation of one teacher's values during training, from the batches themselves.

For teachers without statistics over all training rows, and to compare with the papers that have
none. Where there is a bank, a scaling fitted on its training rows is better: columns that vary in
few rows only have a standard deviation of nearly 0 in most batches, and with `Ema` large values in
the next.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError, ShapeError

EPSILON = 1e-6
"""What `Ema` adds to a standard deviation, once when it is computed and once when it is used."""

LEAST_SD = 1e-3
"""What `Batch` divides by at least."""

NOISE = 1e-6
"""Share of its mean below which a column's sd is rounding: its values become zero."""

FIRST, LAST = 1.0, 0.001
"""Weight of the newest batch in the averages at the start and at the end of training."""


class Standardizer(nn.Module, ABC):
    """Keeps moving averages of one teacher's mean and standard deviation.

    They start at 0 and 1, are in the state_dict, and follow every training batch with at least
    two rows present, with the weight `newest`. In evaluation mode nothing is learnt. Rows that are
    not present enter nothing, whatever they hold.

    Attributes:
        mean: shape (d,).
        sd: shape (d,).
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, dim: int) -> None:
        """Starts at mean 0 and sd 1.

        Args:
            dim: width of the teacher.

        Raises:
            ConfigError: the width is not positive.
        """
        super().__init__()
        if dim < 1:
            raise ConfigError(f"a teacher has at least 1 dimension, not {dim}")
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("sd", torch.ones(dim))

    @torch.no_grad()
    def forward(self, values: Tensor, present: Tensor, share: float) -> Tensor:
        """Standardises a batch and, while training, learns from it.

        Args:
            values: shape (b, d).
            present: shape (b,), bool.
            share: of the steps of training that are done before this one, in [0, 1].

        Returns:
            Shape (b, d), float32 or better, without gradient. Rows that are not present are zero,
            and so are columns whose standard deviation is rounding.

        Raises:
            ShapeError: values have another width.
            ConfigError: the share is outside [0, 1].
        """
        if values.ndim != 2 or values.shape[1] != len(self.mean):
            raise ShapeError(
                f"values must have shape (b, {len(self.mean)}), not {tuple(values.shape)}"
            )
        beta = newest(share)
        values = values if values.dtype == torch.float64 else values.float()
        there = present[:, None]
        # Masked before any arithmetic: NaN times zero is NaN.
        values = torch.where(there, values, 0.0)
        mean, sd = self._read(values, there, beta) if self.training else self._kept()
        varies = sd > NOISE * mean.abs()
        scaled = (values - mean) / self._divisor(sd)
        return torch.where(there & varies, scaled, 0.0)

    @abstractmethod
    def _read(self, values: Tensor, there: Tensor, beta: float) -> tuple[Tensor, Tensor]:
        """Learns from a training batch; the mean and sd to standardise it with."""

    @abstractmethod
    def _divisor(self, sd: Tensor) -> Tensor:
        """What values are divided by, positive."""

    def _kept(self) -> tuple[Tensor, Tensor]:
        return self.mean.clone(), self.sd.clone()

    def _learn(self, mean: Tensor, sd: Tensor, enough: Tensor, beta: float) -> None:
        for running, new in ((self.mean, mean), (self.sd, sd)):
            running.copy_(torch.where(enough, (1 - beta) * running + beta * new, running))


class Ema(Standardizer):
    """Divides by moving averages as they were before the batch: (t - mean) / (sd + 1e-6).

    So the first batch of a training passes as it is, and while the newest batch has nearly all
    the weight each batch is standardised by the one before it.

    Source: Sarıyıldız et al. 2024 (UNIC), feature standardisation. Differs from the authors':
        rows may be absent; columns whose sd is rounding give zero.
    """

    def _read(self, values: Tensor, there: Tensor, beta: float) -> tuple[Tensor, Tensor]:
        before = self._kept()
        mean, sd, enough = _statistics(values, there)
        self._learn(mean, sd + EPSILON, enough, beta)
        return before

    def _kept(self) -> tuple[Tensor, Tensor]:
        """Without what was added to the sd: it would make constant columns look as if they vary."""
        return self.mean.clone(), self.sd - EPSILON

    def _divisor(self, sd: Tensor) -> Tensor:
        return sd + 2 * EPSILON


class Batch(Standardizer):
    """Divides by the statistics of the training batch itself, in evaluation by moving averages.

    The divisor is at least 1e-3. A batch with fewer than two rows present is standardised by the
    moving averages.

    Source: Sarıyıldız et al. 2025 (DUNE), whose averages are taken to have the weights of UNIC.
    """

    def _read(self, values: Tensor, there: Tensor, beta: float) -> tuple[Tensor, Tensor]:
        mean, sd, enough = _statistics(values, there)
        before = self._kept()
        self._learn(mean, sd, enough, beta)
        return torch.where(enough, mean, before[0]), torch.where(enough, sd, before[1])

    def _divisor(self, sd: Tensor) -> Tensor:
        return sd.clamp(min=LEAST_SD)


STANDARDIZERS: Mapping[str, type[Standardizer]] = {"ema": Ema, "batch": Batch}
"""By name; a further one is a class here and a line in this table."""


def newest(share: float) -> float:
    """Returns the weight of the newest batch, falling along half a cosine from 1 to 0.001.

    Args:
        share: of the steps of training that are done, in [0, 1].

    Raises:
        ConfigError: the share is outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"share of training must lie in [0, 1], not {share}")
    return LAST + (FIRST - LAST) * (1 + math.cos(math.pi * share)) / 2


def _statistics(values: Tensor, there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (d,) and unbiased sd (d,) of the rows that are there; whether these are at least two.

    The answer stays on the device: reading it would make the device wait.
    """
    count = there.sum()
    mean = values.sum(dim=0) / count.clamp(min=1)
    squares = torch.where(there, values - mean, 0.0).square().sum(dim=0)
    return mean, (squares / (count - 1).clamp(min=1)).sqrt(), count >= 2
