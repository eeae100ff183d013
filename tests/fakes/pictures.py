"""Images in many forms, made by Pillow or byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

LOSSLESS = ["PNG", "BMP", "TIFF", "PPM", "TGA"]
LOSSY = ["JPEG", "WEBP", "JPEG2000", "GIF"]


def smooth() -> Any:
    coarse = np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((40, 30), Image.Resampling.BICUBIC))


PICTURE = smooth()
"""Shape (30, 40, 3)."""


def encoded(image: Any, form: str = "PNG", **options: Any) -> bytes:
    """An array or Pillow image as a file."""
    made = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = io.BytesIO()
    made.save(buffer, format=form, **options)
    return buffer.getvalue()


def png(rows: Any, depth: int, kind: int, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG file written by hand from rows of big-endian samples; kind 0 is grey, 2 RGB."""
    height, width = rows.shape[:2]
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


# == What becomes of a usable image
