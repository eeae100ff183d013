"""Images of every form become 8-bit RGB; what is none gets a reason and no exception."""

from __future__ import annotations

import io
import math
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image, features

from molkd import images
from molkd.images import InvalidImageError, decode, decode_all, key, stored

LOSSLESS = ["PNG", "BMP", "TIFF", "PPM", "TGA"]
LOSSY = ["JPEG", "WEBP", "JPEG2000", "GIF"]


def _smooth() -> Any:
    coarse = np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((40, 30), Image.Resampling.BICUBIC))


PICTURE = _smooth()
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


@pytest.mark.parametrize("form", LOSSLESS)
def test_lossless_files_keep_every_pixel(form: str) -> None:
    assert_array_equal(decode(encoded(PICTURE, form)), PICTURE)


@pytest.mark.parametrize("form", LOSSY)
def test_lossy_files_look_alike(form: str) -> None:
    if form == "WEBP" and not features.check("webp"):
        pytest.skip("this Pillow reads no WebP")
    decoded = decode(encoded(PICTURE, form))
    assert decoded.shape == PICTURE.shape
    assert np.abs(decoded.astype(int) - PICTURE).mean() < 12


def test_all_ways_to_give_an_image(tmp_path: Path) -> None:
    path = tmp_path / "a picture.png"
    path.write_bytes(encoded(PICTURE))
    for item in (path, str(path), path.read_bytes(), PICTURE, Image.fromarray(PICTURE)):
        decoded = decode(item)
        assert decoded.dtype == np.uint8
        assert_array_equal(decoded, PICTURE)


def test_grey_is_repeated() -> None:
    grey = PICTURE[:, :, 0]
    decoded = decode(encoded(grey))
    assert_array_equal(decoded, np.repeat(grey[:, :, None], 3, axis=2))
    assert_array_equal(
        decode(encoded(Image.fromarray(grey), "JPEG", quality=100)).shape, (30, 40, 3)
    )


def test_black_and_white() -> None:
    bits = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    decoded = decode(encoded(Image.fromarray(bits).convert("1")))
    assert_array_equal(decoded, np.repeat(bits[:, :, None], 3, axis=2))


GREY_16 = np.array([[0, 256, 32896], [65535, 257, 65278]], dtype=np.uint16)
GREY_8 = np.array([[0, 1, 128], [255, 1, 254]], dtype=np.uint8)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_of_16_bits_is_scaled(form: str) -> None:
    decoded = decode(encoded(GREY_16, form))
    assert_array_equal(decoded, np.repeat(GREY_8[:, :, None], 3, axis=2))


def test_grey_of_16_bits_in_every_mode_of_pillow() -> None:
    for mode in ("I;16", "I;16B", "I"):
        image = Image.new(mode, (2, 1))
        image.putpixel((0, 0), 65535)
        image.putpixel((1, 0), 257)
        assert decode(image)[0, :, 0].tolist() == [255, 1], mode


def test_colours_of_16_bits_are_scaled() -> None:
    values = np.array([[[0, 65535, 32896], [257, 514, 65278]]], dtype=">u2")
    decoded = decode(png(values, 16, 2))
    assert np.abs(decoded.astype(int) - [[[0, 255, 128], [1, 2, 254]]]).max() <= 1


def test_a_transparent_grey_of_16_bits_is_white() -> None:
    values = np.array([[0, 1000, 65535]], dtype=">u2")
    assert decode(png(values, 16, 0, (b"tRNS", struct.pack(">H", 1000))))[0, :, 0].tolist() == [
        0,
        255,
        255,
    ]


def test_cmyk() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    for item in (image, encoded(image, "TIFF"), encoded(image, "JPEG", quality=100)):
        red, green, blue = decode(item)[4, 4]
        assert red > 240
        assert max(green, blue) < 15


def test_transparency_is_laid_on_white() -> None:
    colour = np.zeros((1, 3, 4), dtype=np.uint8)
    colour[0, :, 0] = 200
    colour[0, :, 3] = [255, 128, 0]
    expected = [[200, 0, 0], [227, 127, 127], [255, 255, 255]]
    for item in (colour, encoded(colour), Image.fromarray(colour)):
        assert np.abs(decode(item)[0].astype(int) - expected).max() <= 1
    grey = np.dstack([colour[:, :, 0], colour[:, :, 3]])
    decoded = decode(encoded(Image.fromarray(grey, mode="LA")))
    assert np.abs(decoded[0, :, 1].astype(int) - [200, 227, 255]).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_palette_with_a_transparent_colour(form: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 255, 0, 255, 0])
    image.putdata([0, 1])
    assert_array_equal(decode(encoded(image, form))[0], [[0, 0, 255], [0, 255, 0]])
    transparent = encoded(image, form, transparency=1)
    assert_array_equal(decode(transparent)[0], [[0, 0, 255], [255, 255, 255]])


def test_one_colour_of_rgb_is_transparent() -> None:
    rows = np.array([[[9, 8, 7], [1, 2, 3]]], dtype=np.uint8)
    decoded = decode(png(rows, 8, 2, (b"tRNS", struct.pack(">HHH", 1, 2, 3))))
    assert_array_equal(decoded[0], [[9, 8, 7], [255, 255, 255]])


@pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(form: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 3
    assert_array_equal(decode(data), np.asarray(frames[0]))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_of_a_camera_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(PICTURE, "PNG", exif=exif)
    upright = {
        1: PICTURE,
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        4: PICTURE[::-1],
        5: PICTURE.transpose(1, 0, 2),
        6: PICTURE[::-1].transpose(1, 0, 2),
        7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
        8: PICTURE[:, ::-1].transpose(1, 0, 2),
    }[orientation]
    assert_array_equal(decode(data), upright)


def test_nonsense_about_a_rotation_does_no_harm() -> None:
    data = encoded(PICTURE, "JPEG", exif=b"Exif\0\0nonsense", quality=100)
    assert decode(data).shape == PICTURE.shape


def test_no_warning_reaches_the_user() -> None:
    large = Image.new("1", (7500, 7500))  # Pillow would warn above 89 million by default
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("error")
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000_00 // 2)
        assert decode(encoded(large)).shape == (7500, 7500, 3)


# == Arrays


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4), (1, 1), (3, 3, 3)])
def test_arrays_that_are_taken(shape: tuple[int, ...], dtype: Any) -> None:
    top = np.iinfo(dtype).max
    array = np.random.default_rng(0).integers(0, top, shape, dtype=dtype, endpoint=True)
    if shape[-1] == 4 and len(shape) == 3:
        array[..., 3] = top
    expected = np.rint(array / (top / 255)).astype(np.uint8)
    if array.ndim == 2:
        expected = expected[:, :, None]
    expected = np.repeat(expected, 3, axis=2) if expected.shape[2] == 1 else expected[:, :, :3]
    assert_array_equal(decode(array), expected)


def test_views_and_orders_of_arrays() -> None:
    assert_array_equal(decode(PICTURE[::-1, ::2]), PICTURE[::-1, ::2])
    assert_array_equal(decode(np.asfortranarray(PICTURE)), PICTURE)
    with_alpha = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    assert_array_equal(decode(with_alpha[:, ::-1]), PICTURE[:, ::-1])
    assert decode(PICTURE[::-1]).flags.c_contiguous


def test_an_array_stays_as_it_was() -> None:
    for array in (PICTURE.copy(), GREY_16.copy(), np.full((2, 2, 4), 100, np.uint8)):
        before = array.copy()
        array.flags.writeable = False
        decode(array)
        assert_array_equal(array, before)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 5, 2), np.uint8),
        np.zeros((4, 5, 5), np.uint8),
        np.zeros((3, 40, 50), np.uint8),
        np.zeros((1, 4, 5, 3), np.uint8),
        np.zeros(7, np.uint8),
        np.zeros((), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((4, 0), np.uint8),
        np.zeros((4, 5, 0), np.uint8),
        np.zeros((4, 5, 3), np.float32),
        np.zeros((4, 5, 3), np.int64),
        np.zeros((4, 5, 3), np.int8),
        np.zeros((4, 5), np.bool_),
        np.zeros((4, 5), object),
        np.array(b"bytes"),
    ],
    ids=lambda array: f"{array.shape}-{array.dtype}",
)
def test_arrays_that_are_refused(array: Any) -> None:
    with pytest.raises(
        InvalidImageError, match=r"an array of shape \(.*\) of .*; expected \(h, w\)"
    ):
        decode(array)


# == What is no image


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
    monkeypatch.setattr(images, "MAX_PIXELS", 30 * 40 - 1)
    item = {"file": encoded(PICTURE), "array": PICTURE, "image": Image.fromarray(PICTURE)}[form]
    with pytest.raises(InvalidImageError, match="40 x 30 pixels, more than the 1199 allowed"):
        decode(item)
    monkeypatch.setattr(images, "MAX_PIXELS", 30 * 40)
    assert decode(item).shape == (30, 40, 3)


# == Many, and as they are kept


def test_many_images_line_up() -> None:
    items: list[Any] = [PICTURE, None, encoded(PICTURE), b"", "/nowhere.png", GREY_16]
    pictures, rows, failures = decode_all(items)
    assert rows == [0, 2, 5]
    assert list(failures) == [1, 3, 4]
    assert [one.shape for one in pictures] == [(30, 40, 3), (30, 40, 3), (2, 3, 3)]
    assert decode_all([]) == ([], [], {})


def test_what_is_stored_decodes_to_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(PICTURE))
    assert stored(str(path)) == stored(path) == path
    jpeg = encoded(PICTURE, "JPEG")
    assert stored(jpeg) is jpeg
    exif = Image.Exif()
    exif[0x0112] = 6
    rotated = Image.open(io.BytesIO(encoded(PICTURE, exif=exif)))
    for item in (PICTURE, GREY_16, PICTURE[:, :, :1], rotated, Image.new("LA", (3, 2), (9, 99))):
        kept = stored(item)
        assert isinstance(kept, bytes)
        assert_array_equal(decode(kept), decode(item))


@pytest.mark.parametrize("item", [None, 3, np.zeros((2, 2))])
def test_what_is_no_image_is_not_stored(item: Any) -> None:
    with pytest.raises(InvalidImageError):
        stored(item)


def test_keys(tmp_path: Path) -> None:
    data = encoded(PICTURE)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(data)
    assert key(data) == key(tmp_path / "a.png") == key(tmp_path / "b.png")
    assert key(data) != key(encoded(PICTURE[::-1]))
    assert key(data).startswith("sha256:")
    assert len(key(data)) == len("sha256:") + 64
