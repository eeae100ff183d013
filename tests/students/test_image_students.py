"""Image students: what they read, and transformers loading them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from molkd import students
from molkd.items.images import decoding
from molkd.items.images.pixels import Resizing
from molkd.runtime import settings
from molkd.students import StudentSettings
from tests.fakes.kinds import pngs


def _make(**table: object):
    return students.make(settings.from_table(StudentSettings, table)).eval()


@pytest.mark.parametrize("size", ["vit-tiny", "pvt-tiny"])
def test_automodel_gives_the_body_whose_mean_is_projected(size: str, tmp_path: Path):
    from transformers import AutoModel

    student, items = _make(size=size), pngs(6)
    student.save_pretrained(tmp_path)
    body = AutoModel.from_pretrained(tmp_path).eval()
    about = json.loads((tmp_path / "preprocessor_config.json").read_text())
    values = np.stack([_preprocessed(item, about) for item in items])
    with torch.no_grad():
        state = body(pixel_values=torch.from_numpy(values)).last_hidden_state
        mean = state.flatten(2).mean(dim=2) if state.ndim == 4 else state.mean(dim=1)
        expected = student.project(mean).numpy()
    np.testing.assert_allclose(student.embed(items).values, expected, atol=1e-5)


def _preprocessed(item: bytes, about: dict) -> np.ndarray:
    """What a preprocessor_config.json says, step by step."""
    size = (about["size"]["width"], about["size"]["height"])
    resized = Image.fromarray(decoding.decode(item)).resize(size, about["resample"])
    scaled = np.asarray(resized, dtype=np.float64) * about["rescale_factor"]
    normal = (scaled - about["image_mean"]) / about["image_std"]
    return normal.transpose(2, 0, 1).astype(np.float32)


def test_sizes_that_are_published():
    parameters = {
        size: sum(p.numel() for p in _make(size=size).body.parameters())
        for size in ("pvt-v2-b0", "vit-tiny")
    }
    # 3.67 million with the classifier of 1,000 classes: Wang et al. 2022, table 2.
    assert 3.3e6 < parameters["pvt-v2-b0"] + 257 * 1000 < 3.8e6
    assert parameters["vit-tiny"] < 1e6


def test_images_of_any_size_become_squares(tmp_path: Path):
    wide = np.zeros((10, 60, 3), dtype=np.uint8)
    wide[:, 30:] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    found = Resizing(32)([wide, tmp_path / "wide.png", np.zeros((4, 4), dtype=np.uint8)])
    assert found.values.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(found.values[0], found.values[1])
    assert found.values[0, :, :12].max() == 0
    assert found.values[0, :, 20:].min() == 255


def test_the_size_of_what_is_read_is_that_of_the_settings():
    student = _make(size="vit-tiny", image_size=48)
    assert student.featurize(pngs(2)).values.shape == (2, 48, 48, 3)
    assert student.size == 48
