"""What image teachers that run a network on this machine share: loading, batches, memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils._param_validation import Interval

from molkd.errors import WeightsError
from molkd.items.images.decoding import Picture
from molkd.teachers.base.items import ImageTeacher
from molkd.teachers.base.loading import LoadedT, LoadsOnce
from molkd.teachers.base.precision import no_tf32
from molkd.types import Embeddings, Matrix

DECODED = 64
"""Images held decoded at once: a photograph takes 36 MB."""

LONGEST = 100
"""How many times longer than the other a side may be: what keeps proportions grows with it."""

ImageArray = npt.NDArray[Any]
"""An image in the size that a network reads: pixels, or values that are normalised already."""


class ImageNetworkTeacher(LoadsOnce[LoadedT], ImageTeacher):
    """A pretrained network over images.

    Attributes:
        device: where the network runs, a name of `molkd.runtime.devices.choose`.
        batch_size: images per forward pass; changes speed and memory, not the numbers.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "device": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    device: str
    batch_size: int

    @abstractmethod
    def _prepare(self, loaded: LoadedT, picture: Picture) -> ImageArray:
        """Brings a picture to the size that the network reads."""

    @abstractmethod
    def _encode(self, loaded: LoadedT, batch: ImageArray) -> Matrix:
        """Embeds prepared pictures of one shape, stacked; shape (len(batch), card.dim)."""

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Embeds images, a few decoded at a time; see `molkd.types.Teacher`."""
        values = [np.empty((0, self.card.dim), dtype=np.float32)]
        failures: dict[int, str] = {}
        for start in range(0, len(items), DECODED):
            part = super().embed(items[start : start + DECODED])
            values.append(part.values)
            failures.update({start + row: reason for row, reason in part.failures.items()})
        return Embeddings(np.concatenate(values), failures)

    @torch.inference_mode()
    @no_tf32()
    def _compute(self, readable: list[Picture]) -> tuple[Matrix, Mapping[int, str]]:
        loaded = self._ready()
        values = np.full((len(readable), self.card.dim), np.nan, dtype=np.float32)
        reasons = {row: reason for row, one in enumerate(readable) if (reason := _refusal(one))}
        usable = [row for row in range(len(readable)) if row not in reasons]
        for start in range(0, len(usable), self.batch_size):
            rows = usable[start : start + self.batch_size]
            prepared = {row: self._prepare(loaded, readable[row]) for row in rows}
            for shape in {one.shape for one in prepared.values()}:
                alike = [row for row in rows if prepared[row].shape == shape]
                batch = self._encode(loaded, np.stack([prepared[row] for row in alike]))
                if batch.shape != (len(alike), values.shape[1]):
                    raise WeightsError(
                        f"{self.card.name} gives {batch.shape[1:]} values per image, but "
                        f"{values.shape[1]} were expected: it is not the model that it says it is"
                    )
                values[alike] = batch
        return values, reasons


def _refusal(picture: Picture) -> str | None:
    """Says why a picture cannot be embedded, or None where it can."""
    height, width = picture.shape[:2]
    if max(height, width) > LONGEST * min(height, width):
        return f"{width} x {height} pixels: one side is more than {LONGEST} times the other"
    return None
