"""The plainest embedding of an image: its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from molkd import images
from molkd.types import Card, Embedded


@dataclass(frozen=True, slots=True)
class Pixels:
    """Images resized to a square, whatever their proportions, and laid out in one row.

    Attributes:
        side: of the square, in pixels.
    """

    side: int

    @property
    def card(self) -> Card:
        """What they are."""
        return Card(
            name=f"pixels-{self.side}",
            kind="pixels",
            reads="images",
            dim=3 * self.side**2,
            support="real",
            source="the image itself",
            license="that of the image",
            limits="none",
            options={"side": self.side},
            versions={"pillow": version("pillow")},
        )

    def embed(self, items: Sequence[images.ImageItem], /) -> Embedded:
        """Shape (n, 3 side^2): red, green and blue of each pixel in turn, from 0 to 1."""
        from PIL import Image

        pictures, rows, failures = images.decode_all(items)
        values = np.full((len(items), 3 * self.side**2), np.nan, dtype=np.float32)
        for row, picture in zip(rows, pictures, strict=True):
            small = Image.fromarray(picture).resize((self.side, self.side), Image.Resampling.BOX)
            values[row] = np.asarray(small, dtype=np.float32).ravel() / 255
        return Embedded(values, failures)
