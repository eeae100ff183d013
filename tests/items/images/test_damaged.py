"""Images that are missing, cut, damaged, huge or no images at all: a reason, and nothing else."""

from __future__ import annotations

import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from molkd.items.images import decoding
from molkd.items.images.decoding import InvalidImageError, decode, key
from tests.fakes.pictures import PICTURE, encoded, png


@pytest.mark.parametrize("item", [None, math.nan, float("nan"), np.float64("nan")])
def test_missing_values(item: Any) -> None:
    with pytest.raises(InvalidImageError, match="a missing value"):
        decode(item)


@pytest.mark.parametrize("item", [3, 2.5, True, [1, 2], {"bytes": b""}, object(), bytearray(b"x")])
def test_values_of_other_types(item: Any) -> None:
    with pytest.raises(InvalidImageError, match=f"a value of type {type(item).__name__}"):
        decode(item)


@pytest.mark.parametrize("data", [b"x", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8", b"<svg/>"])
def test_bytes_that_are_no_image(data: bytes) -> None:
    with pytest.raises(InvalidImageError, match=r"no image in a format|corrupt image"):
        decode(data)


def test_nothing_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    for item in (b"", tmp_path / "empty.png"):
        with pytest.raises(InvalidImageError, match="no image but 0 bytes"):
            decode(item)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nowhere/a.png", "cannot read '/nowhere/a.png': No such file"),
        ("", "cannot read '': it is no file"),
        (os.curdir, "it is no file"),
        ("/dev/zero", "it is no file"),
        ("a\0b.png", "embedded null"),
        ("\ud800.png", "cannot read '.ud800.png'"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_files_that_cannot_be_read(path: str, reason: str) -> None:
    for item in (path, Path(path)):
        if path:
            with pytest.raises(InvalidImageError, match=reason):
                decode(item)
            with pytest.raises(InvalidImageError, match=reason):
                key(Path(path))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InvalidImageError, match="it is no file"):
        decode(tmp_path / "pipe.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_someone_else(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(PICTURE))
    (tmp_path / "a.png").chmod(0)
    with pytest.raises(InvalidImageError, match="Permission denied"):
        decode(tmp_path / "a.png")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "PPM", "WEBP"])
def test_cut_files_are_refused(form: str) -> None:
    data = encoded(PICTURE, form)
    for end in (len(data) // 4, len(data) // 2, 3 * len(data) // 4):
        with pytest.raises(InvalidImageError, match=r"corrupt image|no image in a format"):
            decode(data[:end])


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_cut_pillow_image_is_refused(form: str) -> None:
    """Pillow opens it and fails where its pixels are read."""
    data = encoded(PICTURE, form)
    with pytest.raises(InvalidImageError, match="corrupt image"):
        decode(Image.open(io.BytesIO(data[:-100])))


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
    end=st.floats(0, 1),
)
def test_damage_never_raises_anything_else(form: str, place: float, byte: int, end: float) -> None:
    data = bytearray(encoded(PICTURE, form))
    data[int(place * len(data))] = byte
    try:
        decoded = decode(bytes(data[: int(end * len(data))]))
    except InvalidImageError as error:
        assert len(str(error)) > 5  # noqa: PT017 - any reason will do
    else:
        assert decoded.dtype == np.uint8
        assert decoded.shape[2:] == (3,)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_noise_never_raises_anything_else(data: bytes) -> None:
    with pytest.raises(InvalidImageError):
        decode(data)


def test_floating_point_pixels_are_refused() -> None:
    image = Image.fromarray(np.full((3, 4), 0.5, np.float32))
    for item in (image, encoded(image, "TIFF")):
        with pytest.raises(InvalidImageError, match="floating-point pixels"):
            decode(item)


def test_no_program_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """EPS would be handed to Ghostscript."""
    monkeypatch.setattr("subprocess.check_call", pytest.fail)
    with pytest.raises(InvalidImageError, match="EPS is a program"):
        decode(encoded(PICTURE, "EPS"))


# == Enormous images


def test_enormous_files_are_refused_before_they_are_decoded() -> None:
    size = struct.pack(">II", 60_000, 60_000)
    header = png(np.zeros((1, 1), np.uint8), 8, 0)
    bomb = header[:16] + size + header[24:29]
    bomb += struct.pack(">I", zlib.crc32(bomb[12:29])) + header[33:]
    with pytest.raises(InvalidImageError, match="more than the 64000000 pixels allowed"):
        decode(bomb)


@pytest.mark.parametrize("form", ["file", "array", "image"])
def test_one_pixel_too_many(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 30 * 40 - 1)
    item = {"file": encoded(PICTURE), "array": PICTURE, "image": Image.fromarray(PICTURE)}[form]
    with pytest.raises(InvalidImageError, match="40 x 30 pixels, more than the 1199 allowed"):
        decode(item)
    monkeypatch.setattr(decoding, "MAX_PIXELS", 30 * 40)
    assert decode(item).shape == (30, 40, 3)


# == Many, and as they are kept
