"""What image teachers that run a network on this machine share: loading, batches, memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval
from torch import nn

from molkd import devices
from molkd.images import Picture
from molkd.teachers.frozen import ImageTeacher
from molkd.teachers.precision import exact
from molkd.types import Embedded, Matrix

DECODED = 64
"""Images held decoded at once: a photograph takes 36 MB."""


class VisionNetworkTeacher(ImageTeacher):
    """A pretrained network over images, loaded when it is first needed.

    Attributes:
        device: where the network runs, in torch's words.
        batch_size: images per forward pass; changes speed and memory, not the numbers.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "device": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    device: str
    batch_size: int

    @abstractmethod
    def _load(self) -> nn.Module:
        """Builds the network with its weights, on the CPU.

        Raises:
            WeightsError: the weights are missing or not the published ones.
        """

    @abstractmethod
    def _prepare(self, picture: Picture) -> Picture:
        """Brings a picture to the size that the network reads."""

    @abstractmethod
    def _encode(self, network: nn.Module, pictures: Sequence[Picture]) -> Matrix:
        """Embeds prepared pictures of one size; shape (len(pictures), card.dim)."""

    @property
    @abstractmethod
    def _key(self) -> tuple[object, ...]:
        """The parameters that decide what is loaded."""

    def _network(self) -> nn.Module:
        if self._loaded is None or self._loaded[0] != self._key:
            device = devices.choose(self.device)
            network = self._load().float().eval().requires_grad_(requires_grad=False)
            self._loaded = (self._key, network.to(device))
        return self._loaded[1]

    def embed(self, items: Sequence[Any], /) -> Embedded:
        """Embeds images, a few decoded at a time; see `molkd.types.Teacher`."""
        parts = {
            start: super(VisionNetworkTeacher, self).embed(items[start : start + DECODED])
            for start in range(0, len(items), DECODED)
        }
        empty = np.empty((0, self.card.dim), dtype=np.float32)
        values = np.concatenate([empty, *(part.values for part in parts.values())])
        failures = {
            start + row: reason
            for start, part in parts.items()
            for row, reason in part.failures.items()
        }
        return Embedded(values, failures)

    @exact()
    def _compute(self, readable: list[Picture]) -> tuple[Matrix, Mapping[int, str]]:
        network = self._network()
        values = np.empty((len(readable), self.card.dim), dtype=np.float32)
        for start in range(0, len(readable), self.batch_size):
            rows = slice(start, start + self.batch_size)
            values[rows] = self._encode(network, [self._prepare(one) for one in readable[rows]])
        return values, {}
