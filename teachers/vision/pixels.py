"""From pictures of any size to what networks read: resizing, cropping, normalising."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from molkd.items.images.decoding import Picture

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's red, green and blue, where white is 1."""

IMAGENET_SD = (0.229, 0.224, 0.225)
"""Their standard deviations."""


def fitted(picture: Picture, shortest: int, resample: int) -> Picture:
    """Resizes by Pillow, which smooths where it shrinks, and keeps the proportions.

    Args:
        picture: shape (h, w, 3).
        shortest: pixels of the shorter side.
        resample: filter, a value of `PIL.Image.Resampling`.

    Returns:
        Shape (h', w', 3), where the longer side is rounded down; the picture itself where it has
        this size.
    """
    height, width = picture.shape[:2]
    small = min(height, width)
    if small == shortest:
        return picture
    size = (width * shortest // small, height * shortest // small)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling(resample)))


def centred(picture: Picture, height: int, width: int) -> Picture:
    """Cuts out the centre of a picture that is at least as large.

    Returns:
        Shape (height, width, 3).
    """
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]


def normalised(
    pictures: npt.NDArray[np.uint8], mean: Sequence[float], sd: Sequence[float]
) -> npt.NDArray[np.float32]:
    """Brings pixels to the mean and standard deviation of a training set.

    Args:
        pictures: shape (n, h, w, 3).
        mean: per channel, where white is 1.
        sd: per channel, likewise.

    Returns:
        Shape (n, 3, h, w); in memory the channels of a pixel stay together.
    """
    scale = np.asarray(sd, dtype=np.float32)
    values = pictures.astype(np.float32)
    values *= np.float32(1 / 255) / scale
    values -= np.asarray(mean, dtype=np.float32) / scale
    return values.transpose(0, 3, 1, 2)
