"""Tiny image encoders of several architectures with random weights, in the hub's format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as tf

SIDE = 32
_SPREAD = 0.2  # of random weights: wide, so that every pixel shows in every state
_VIT = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 32,
    "image_size": SIDE,
    "patch_size": 8,
    "initializer_range": _SPREAD,
}
_SQUARE = {
    "do_resize": True,
    "size": {"height": SIDE, "width": SIDE},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.4, 0.3],
}
_CUT = {
    **_SQUARE,
    "size": {"shortest_edge": 40},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": SIDE, "width": SIDE},
    "do_convert_rgb": True,
    "image_mean": [0.48, 0.45, 0.40],
    "image_std": [0.26, 0.26, 0.27],
}


def vit(folder: Path, *, seed: int = 0, pooler: bool = True) -> Path:
    """A transformer over patches, with a class token and a pooler that may be left out."""
    torch.manual_seed(seed)
    model = tf.ViTModel(tf.ViTConfig(**_VIT), add_pooling_layer=pooler)
    return saved(model, folder, image_processor_type="ViTImageProcessor", **_SQUARE)


def deit(folder: Path, *, seed: int = 0) -> Path:
    """The same with a second token before the patches."""
    torch.manual_seed(seed)
    model = tf.DeiTModel(tf.DeiTConfig(**_VIT))
    return saved(model, folder, image_processor_type="DeiTImageProcessor", **_CUT)


def swin(folder: Path, *, seed: int = 0) -> Path:
    """Windows that shift, no class token."""
    torch.manual_seed(seed)
    config = tf.SwinConfig(
        image_size=SIDE,
        patch_size=4,
        embed_dim=12,
        depths=[1, 1],
        num_heads=[2, 2],
        window_size=4,
        initializer_range=_SPREAD,
    )
    return saved(tf.SwinModel(config), folder, image_processor_type="ViTImageProcessor", **_SQUARE)


def dinov2(folder: Path, *, seed: int = 0) -> Path:
    """A transformer that scales its layers; its preprocessing cuts."""
    torch.manual_seed(seed)
    config = tf.Dinov2Config(**{**_VIT, "mlp_ratio": 2})
    return saved(tf.Dinov2Model(config), folder, image_processor_type="BitImageProcessor", **_CUT)


def registers(folder: Path, *, seed: int = 0) -> Path:
    """The same with registers between class token and patches."""
    torch.manual_seed(seed)
    config = tf.Dinov2WithRegistersConfig(**{**_VIT, "mlp_ratio": 2, "num_register_tokens": 3})
    model = tf.Dinov2WithRegistersModel(config)
    return saved(model, folder, image_processor_type="BitImageProcessor", **_CUT)


def beit(folder: Path, *, seed: int = 0) -> Path:
    """A transformer whose pooler is a normalised mean; its configuration is of an older form."""
    torch.manual_seed(seed)
    model = tf.BeitModel(tf.BeitConfig(**_VIT))
    old = {**_SQUARE, "size": SIDE, "crop_size": SIDE, "do_center_crop": False}
    return saved(model, folder, feature_extractor_type="BeitFeatureExtractor", **old)


def clip(folder: Path, *, seed: int = 0) -> Path:
    """An image and a text encoder with a common space of 16 dimensions."""
    torch.manual_seed(seed)
    text = {**_VIT, "vocab_size": 40, "max_position_embeddings": 16}
    del text["image_size"], text["patch_size"]
    config = tf.CLIPConfig(text_config=text, vision_config=_VIT, projection_dim=16)
    return saved(tf.CLIPModel(config), folder, image_processor_type="CLIPImageProcessor", **_CUT)


def convnext(folder: Path, *, seed: int = 0) -> Path:
    """A convolutional network that gives a map of places."""
    torch.manual_seed(seed)
    config = tf.ConvNextConfig(
        hidden_sizes=[8, 12], depths=[1, 1], num_stages=2, initializer_range=_SPREAD
    )
    cut = {**_SQUARE, "size": {"shortest_edge": SIDE}, "crop_pct": 0.8, "resample": 3}
    return saved(
        tf.ConvNextModel(config), folder, image_processor_type="ConvNextImageProcessor", **cut
    )


def resnet(folder: Path, *, seed: int = 0) -> Path:
    """A residual network, whose pooler gives maps of one place."""
    torch.manual_seed(seed)
    config = tf.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 20], depths=[1, 1], layer_type="basic"
    )
    cut = {**_SQUARE, "size": {"shortest_edge": SIDE}, "crop_pct": 0.8, "resample": 3}
    return saved(
        tf.ResNetModel(config), folder, image_processor_type="ConvNextImageProcessor", **cut
    )


def saved(model: Any, folder: Path, **preprocessing: Any) -> Path:
    """Writes a model and its preprocessing."""
    folder.mkdir(parents=True, exist_ok=True)
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return folder


MODELS: dict[str, Callable[..., Path]] = {
    made.__name__: made
    for made in (vit, deit, swin, dinov2, registers, beit, clip, convnext, resnet)
}
"""Name -> what writes the model into a folder."""

WIDTHS = {"swin": 24, "clip": 16, "convnext": 12, "resnet": 20}
"""Of the embedding; 24 for all others."""
