"""The plainest embedding of an image: its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from molkd.items.images import decoding
from molkd.types import Embeddings, TeacherCard


@dataclass(frozen=True, slots=True)
class Pixels:
    """Images resized to a square, whatever their proportions, and laid out in one row.

    Attributes:
        side: of the square, in pixels.
    """

    side: int

    @property
    def card(self) -> TeacherCard:
        """What they are."""
        return TeacherCard(
            name=f"pixels-{self.side}",
            kind="pixels",
            modality="images",
            dim=3 * self.side**2,
            support="real",
            source="the image itself",
            license="that of the image",
            limits="none",
            options={"side": self.side},
            versions={"pillow": version("pillow")},
        )

    def embed(self, items: Sequence[decoding.ImageItem], /) -> Embeddings:
        """Shape (n, 3 side^2): red, green and blue of each pixel in turn, from 0 to 1."""
        from PIL import Image

        pictures, rows, failures = decoding.decode_all(items)
        values = np.full((len(items), 3 * self.side**2), np.nan, dtype=np.float32)
        for row, picture in zip(rows, pictures, strict=True):
            small = Image.fromarray(picture).resize((self.side, self.side), Image.Resampling.BOX)
            values[row] = np.asarray(small, dtype=np.float32).ravel() / 255
        return Embeddings(values, failures)
