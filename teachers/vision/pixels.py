"""From pictures of any size to what networks read: resizing, cropping, normalising."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from molkd.images import Picture

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's red, green and blue, of 1."""

IMAGENET_SD = (0.229, 0.224, 0.225)
"""Their standard deviations."""

BLACK = 0


def resized(picture: Picture, height: int, width: int, resample: int) -> Picture:
    """Resizes by Pillow, which smooths where it shrinks.

    Args:
        picture: shape (h, w, 3).
        height: of the result, in pixels.
        width: of the result, in pixels.
        resample: filter, a value of `PIL.Image.Resampling`.

    Returns:
        Shape (height, width, 3); the picture itself where it has this size.
    """
    if picture.shape[:2] == (height, width):
        return picture
    image = Image.fromarray(picture).resize((width, height), Image.Resampling(resample))
    return np.asarray(image)


def fitted(picture: Picture, shortest: int, resample: int, longest: int | None = None) -> Picture:
    """Resizes and keeps the proportions.

    Args:
        picture: shape (h, w, 3).
        shortest: pixels of the shorter side.
        resample: see `resized`.
        longest: pixels that the longer side must not exceed, if it is limited.

    Returns:
        Shape (h', w', 3); the longer side is rounded down.
    """
    small, large = sorted(picture.shape[:2])
    long = max(1, int(shortest * large / small))
    if longest is not None and long > longest:
        shortest, long = max(1, int(longest * shortest / long)), longest
    upright = picture.shape[0] > picture.shape[1]
    height, width = (long, shortest) if upright else (shortest, long)
    return resized(picture, height, width, resample)


def centred(picture: Picture, height: int, width: int) -> Picture:
    """Cuts out the centre; what it lacks is filled with black.

    Returns:
        Shape (height, width, 3).
    """
    high, wide = picture.shape[:2]
    if high < height or wide < width:
        top, left = max(0, -((high - height) // 2)), max(0, -((wide - width) // 2))
        bottom, right = max(0, height - high - top), max(0, width - wide - left)
        picture = np.pad(picture, ((top, bottom), (left, right), (0, 0)), constant_values=BLACK)
        high, wide = picture.shape[:2]
    top, left = (high - height) // 2, (wide - width) // 2
    return picture[top : top + height, left : left + width]


def normalised(
    pictures: Sequence[Picture],
    mean: Sequence[float],
    sd: Sequence[float],
    scale: float = 1 / 255,
) -> npt.NDArray[np.float32]:
    """Scales pixels of equally large pictures to mean and standard deviation of a training set.

    Args:
        pictures: n of shape (h, w, 3).
        mean: per channel, after scaling.
        sd: per channel, after scaling.
        scale: factor applied first.

    Returns:
        Shape (n, 3, h, w); in memory the channels of a pixel stay together.
    """
    stacked = np.stack(pictures).astype(np.float32)
    stacked *= np.float32(scale) / np.asarray(sd, dtype=np.float32)
    stacked -= np.asarray(mean, dtype=np.float32) / np.asarray(sd, dtype=np.float32)
    return stacked.transpose(0, 3, 1, 2)
