"""Layers of image networks: the hidden states of transformers, pooled over patches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel

from molkd import teachers
from molkd.errors import ConfigError, WeightsError
from molkd.teachers.hub.images import HubVisionTeacher

from . import tiny_vision


@pytest.mark.parametrize("name", ["vit", "deit", "dinov2", "clip"])
def test_layers_of_image_networks(tmp_path: Path, name: str, pictures: list[Any]) -> None:
    folder = tiny_vision.MODELS[name](tmp_path)
    teacher = HubVisionTeacher(str(folder), layer=1, pooling="mean", batch_size=1)
    rows = teacher.transform(pictures)
    loaded = teacher._ready()
    assert rows.shape == (len(pictures), teacher.card.dim)
    pixels = torch.from_numpy(teacher._prepare(loaded, pictures[0]))[None]
    model = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        states = getattr(model, "vision_model", model)(
            pixel_values=pixels, output_hidden_states=True
        )
    patches = (tiny_vision.SIDE // loaded.patch) ** 2
    expected = states.hidden_states[1][0, -patches:].mean(dim=0)
    np.testing.assert_allclose(rows[0], expected, atol=1e-5)


def test_what_is_made_of_the_last_layer_only_is_refused(tmp_path: Path) -> None:
    clip = str(tiny_vision.MODELS["clip"](tmp_path / "clip"))
    swin = str(tiny_vision.MODELS["swin"](tmp_path / "swin"))
    with pytest.raises(ConfigError, match="pooling='features' is made of the last layer; choose"):
        assert HubVisionTeacher(clip, pooling="features", layer=1).card
    with pytest.raises(ConfigError, match="type 'swin', whose layers differ in width"):
        assert HubVisionTeacher(swin, layer=1).card
    with pytest.raises(WeightsError):  # nothing is known of its layers without its files
        assert teachers.make("clip-vit-base-patch32@layer:3").card
