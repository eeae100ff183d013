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
from molkd.teachers.base.precision import exact
from molkd.types import Embeddings, Matrix

DECODED = 64
"""Images held decoded at once: a photograph takes 36 MB."""

LONGEST = 100
"""How many times longer than the other a side may be: what keeps proportions grows with it."""

Prepared = npt.NDArray[Any]
"""An image in the size that a network reads: pixels, or values that are normalised already."""


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
    _loaded: tuple[tuple[object, ...], Any] | None = None

    device: str
    batch_size: int

    @abstractmethod
    def _load(self) -> Any:
        """Builds what is needed to embed, frozen, on its device.

        Raises:
            ConfigError: there is no such device here.
            WeightsError: the weights are missing or not the published ones.
        """

    @abstractmethod
    def _prepare(self, loaded: Any, picture: Picture) -> Prepared:
        """Brings a picture to the size that the network reads."""

    @abstractmethod
    def _encode(self, loaded: Any, batch: Prepared) -> Matrix:
        """Embeds prepared pictures of one shape, stacked; shape (len(batch), card.dim)."""

    @property
    @abstractmethod
    def _key(self) -> tuple[object, ...]:
        """The parameters that decide what is loaded."""

    def _ready(self) -> Any:
        if self._loaded is None or self._loaded[0] != self._key:
            with torch.inference_mode(mode=False):
                self._loaded = (self._key, self._load())
        return self._loaded[1]

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Embeds images, a few decoded at a time; see `molkd.types.Teacher`."""
        values = [np.empty((0, self.card.dim), dtype=np.float32)]
        failures: dict[int, str] = {}
        for start in range(0, len(items), DECODED):
            part = super().embed(items[start : start + DECODED])
            values.append(part.values)
            failures.update({start + row: reason for row, reason in part.failures.items()})
        return Embeddings(np.concatenate(values), failures)

    @exact()
    def _compute(self, readable: list[Picture]) -> tuple[Matrix, Mapping[int, str]]:
        loaded = self._ready()
        values = np.full((len(readable), self.card.dim), np.nan, dtype=np.float32)
        reasons = {row: reason for row, one in enumerate(readable) if (reason := _refusal(one))}
        kept = [row for row in range(len(readable)) if row not in reasons]
        for start in range(0, len(kept), self.batch_size):
            rows = kept[start : start + self.batch_size]
            prepared = {row: self._prepare(loaded, readable[row]) for row in rows}
            for shape in {one.shape for one in prepared.values()}:
                alike = [row for row in rows if prepared[row].shape == shape]
                found = self._encode(loaded, np.stack([prepared[row] for row in alike]))
                if found.shape != (len(alike), values.shape[1]):
                    raise WeightsError(
                        f"{self.card.name} gives {found.shape[1:]} values per image, but "
                        f"{values.shape[1]} were expected: it is not the model that it says it is"
                    )
                values[alike] = found
        return values, reasons


def _refusal(picture: Picture) -> str | None:
    """Says why a picture cannot be embedded, or None where it can."""
    height, width = picture.shape[:2]
    if max(height, width) > LONGEST * min(height, width):
        return f"{width} x {height} pixels: one side is more than {LONGEST} times the other"
    return None
