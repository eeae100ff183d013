"""Images as squares of pixels: what image students read, without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from molkd.failures import joined, picked
from molkd.items.images import decoding
from molkd.types import Rows

_BICUBIC = 3  # in Pillow's and transformers' numbers


@dataclass(frozen=True, slots=True)
class Pixels:
    """n images of one size; one that failed is black.

    They are kept decoded: n images of s pixels along each side take 3 n s² bytes.

    Attributes:
        values: shape (n, s, s, 3), 8-bit RGB.
        failures: row -> reason.
    """

    values: npt.NDArray[np.uint8]
    failures: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shortened(self) -> int:
        """None: every image is resized."""
        return 0

    @property
    def sizes(self) -> Rows:
        """Shape (n,): all alike."""
        return np.ones(len(self.values), dtype=np.int64)

    def select(self, rows: Rows) -> Self:
        """Returns some images, in the order given."""
        return type(self)(self.values[rows], picked(self.failures, rows))

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Returns the images of several parts, one after the other."""
        failures = joined([(len(part), part.failures) for part in parts])
        return cls(np.concatenate([part.values for part in parts]), failures)


@dataclass(frozen=True, slots=True)
class Resizing:
    """Decodes images and resizes them to squares, bicubic; small and picklable.

    Attributes:
        size: pixels along each side.
    """

    size: int

    def __call__(self, items: Sequence[object]) -> Pixels:
        """Reads images."""
        from PIL import Image

        values = np.zeros((len(items), self.size, self.size, 3), dtype=np.uint8)
        failures: dict[int, str] = {}
        for row, item in enumerate(items):
            try:
                picture = decoding.decode(item)
            except decoding.InvalidImageError as error:
                failures[row] = str(error)
                continue
            square = Image.fromarray(picture).resize(
                (self.size, self.size), Image.Resampling.BICUBIC
            )
            values[row] = np.asarray(square)
        return Pixels(values, failures)

    def as_json(self) -> bytes:
        """The same, as transformers' image processors read it."""
        about = {
            "image_processor_type": "ViTImageProcessor",
            "do_convert_rgb": True,
            "do_resize": True,
            "size": {"height": self.size, "width": self.size},
            "resample": _BICUBIC,
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
        }
        return (json.dumps(about, indent=2) + "\n").encode()
