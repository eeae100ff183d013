"""Images: decoding files, bytes and arrays to RGB pixels, with a reason for every failure.

Whatever an image was, it becomes 8-bit RGB: grey is repeated, 16 bits are scaled, transparency
is laid on white, a rotation that the camera noted is applied, and of an animation the first frame
is taken.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from molkd.items.base import InvalidItemError, described, read_each

if TYPE_CHECKING:  # Pillow is loaded when an image is
    from PIL import Image

Picture = npt.NDArray[np.uint8]
"""Shape (h, w, 3): RGB, from the upper left corner."""

ImageItem = Path | bytes
"""An image in a corpus: a file, or encoded bytes."""

MAX_PIXELS = 64_000_000
"""Above which an image is refused: it would take a gigabyte to decode."""

_DEPTHS = (np.dtype(np.uint8), np.dtype(np.uint16))


class InvalidImageError(InvalidItemError):
    """An item is not a usable image."""


def decode(item: object) -> Picture:
    """Reads an image.

    Args:
        item: path of a file, encoded bytes (PNG, JPEG, ...), an array of shape (h, w),
            (h, w, 1), (h, w, 3) or (h, w, 4) of 8 or 16 bits, or a Pillow image.

    Returns:
        Shape (h, w, 3), 8-bit RGB.

    Raises:
        InvalidImageError: the file is missing, or what there is cannot be decoded to its end.
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(item, np.ndarray):
        return _of_array(item)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes that MAX_PIXELS judges
            if isinstance(item, Image.Image):
                return _rgb(item)
            with Image.open(io.BytesIO(_content(item))) as opened:
                return _rgb(opened)
    except InvalidImageError:
        raise
    except UnidentifiedImageError as error:
        raise InvalidImageError("no image in a format that Pillow reads") from error
    except Image.DecompressionBombError as error:
        raise InvalidImageError(f"more than the {MAX_PIXELS} pixels allowed: {error}") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, ...
        raise InvalidImageError(f"corrupt image: {error or type(error).__name__}") from error


def decode_all(items: Sequence[object]) -> tuple[list[Picture], list[int], dict[int, str]]:
    """Returns the pictures that can be decoded, their rows, and row -> reason for all others."""
    return read_each(decode, items)


def stored(item: object) -> ImageItem:
    """Returns an item in a small form that decodes to the same pixels later.

    Raises:
        InvalidImageError: it is neither a path nor bytes, and no array or image either.
    """
    if isinstance(item, str | os.PathLike):
        return Path(item)
    if isinstance(item, bytes):
        return item
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(decode(item)).save(buffer, format="PNG")
    return buffer.getvalue()


def key(item: ImageItem) -> str:
    """Returns the digest of an image's encoded bytes, wherever they are.

    Raises:
        InvalidImageError: the file cannot be read.
    """
    return f"sha256:{hashlib.sha256(_content(item)).hexdigest()}"


def _content(item: object) -> bytes:
    content = item if isinstance(item, bytes) else _read(item)
    if not content:
        raise InvalidImageError("no image but 0 bytes")
    return content


def _read(item: object) -> bytes:
    if not isinstance(item, str | os.PathLike):
        raise InvalidImageError(f"no image but {described(item)}")
    try:
        path = Path(item)
        readable = path.is_file() or not path.exists()
        content = path.read_bytes() if readable else b""
    except (OSError, ValueError, TypeError) as error:  # a path may hold what no path can
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidImageError(f"cannot read {str(item)!r}: {reason}") from error
    if not readable:  # a device or a pipe might never end
        raise InvalidImageError(f"cannot read {str(item)!r}: it is no file")
    return content


def _of_array(array: npt.NDArray[Any]) -> Picture:
    grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    colour = array.ndim == 3 and array.shape[2] in {3, 4}
    if not (grey or colour) or not array.size or array.dtype not in _DEPTHS:
        raise InvalidImageError(
            f"an array of shape {array.shape} of {array.dtype}; expected (h, w), (h, w, 1), "
            "(h, w, 3) or (h, w, 4) of uint8 or uint16"
        )
    _check_size(array.shape[1], array.shape[0])
    if array.dtype == np.uint16:
        array = _eight_bits(array)
    if grey:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.shape[2] == 3:
        return np.ascontiguousarray(array)
    from PIL import Image

    return _rgb(Image.fromarray(array))


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InvalidImageError(
            f"{width} x {height} pixels, more than the {MAX_PIXELS} allowed: shrink it first"
        )


def _eight_bits(array: npt.NDArray[Any]) -> Picture:
    """Scales 16 bits to 8, so that white stays white."""
    return np.rint(array.astype(np.float32) / 257).astype(np.uint8)


def _rgb(image: Image.Image) -> Picture:
    from PIL import Image, ImageOps

    _check_size(*image.size)
    if image.format == "EPS":
        raise InvalidImageError("EPS is a program, which another program would have to run")
    if image.mode == "F":
        raise InvalidImageError("floating-point pixels, whose range is unknown: scale to 8 bits")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits, which convert() would clip to 255
        values = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
        values[values == image.info.get("transparency", -1)] = 65535
        return _of_array(values)
    if image.mode in {"RGBA", "RGBa", "LA", "PA"} or "transparency" in image.info:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.array(image.convert("RGB"))
