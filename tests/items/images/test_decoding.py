"""Images of every form become 8-bit RGB; what is none gets a reason and no exception."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image, features

from molkd.items.images.decoding import InvalidImageError, decode, decode_all, key, stored
from tests.fakes.pictures import LOSSLESS, LOSSY, PICTURE, encoded, png


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
    large = Image.new("1", (1200, 1200))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("error")
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)  # Pillow warns above
        assert decode(encoded(large)).shape == (1200, 1200, 3)


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
