"""Image encoders of the Hugging Face kind, with their own preprocessing, as teachers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from PIL import Image
from sklearn.utils._param_validation import StrOptions
from torch import Tensor, nn

from molkd.errors import ConfigError, WeightsError
from molkd.hub import checkpoints, inputs
from molkd.items.images.decoding import Picture
from molkd.runtime import devices
from molkd.teachers.base import layers
from molkd.teachers.hub.base import HubModel, HubTeacher, Origin, origin_of
from molkd.teachers.hub.hidden import check_layer, hidden_states
from molkd.teachers.vision.network import ImageArray, ImageNetworkTeacher
from molkd.types import Matrix

ImagePooling = Literal["auto", "features", "pooler", "cls", "mean"]

PROCESSOR = ("preprocessor_config.json", "processor_config.json")
"""Files that say how images are prepared."""

FILES = ("config.json", "model*.safetensors", "model.safetensors.index.json", *PROCESSOR)
"""What decides the numbers of a model that reads images."""

WITH_CLASS_TOKEN = frozenset(
    {"vit", "deit", "vit_msn", "dinov2", "dinov2_with_registers", "dinov3_vit"}
)
"""Model types that are meant to be read at their class token.

The pooler of a ViT is a further layer, which many checkpoints lack.
"""


RANDOM = frozenset({"vit_mae"})
"""Model types that hide patches at random, also outside training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ImageModel(HubModel):
    """A loaded model.

    Attributes:
        model: with its text part, if it has one.
        processor: brings an image to what the model reads.
        patch: pixels of a patch's side; 0 where the model has no patches.
        pooling: as resolved.
    """

    model: nn.Module
    processor: Any
    patch: int
    pooling: ImagePooling


class HubVisionTeacher(HubTeacher[_ImageModel], ImageNetworkTeacher[_ImageModel]):
    """The embedding of an image by an encoder in the format of the Hugging Face hub.

    How an image is resized, cut and normalised is what preprocessor_config.json says, by Pillow
    and NumPy whatever else is installed.

    Attributes:
        pooling: "features", the projection of a model that was trained with texts; "pooler", what
            the architecture itself makes of its last states; "cls", the last state of the class
            token; "mean" over the last states of all patches; "auto" is features where a model
            has them, the class token for those that are meant to be read there (ViT, DeiT,
            DINO), else the pooler.
        layer: as for every `HubTeacher`. Its states are pooled by "cls" or "mean"; "auto" is then
            the mean of those that are not meant to be read at a class token.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **HubTeacher._parameter_constraints,  # noqa: SLF001
        "pooling": [StrOptions({"auto", "features", "pooler", "cls", "mean"})],
    }
    _kind = "image network"
    _modality = "images"
    _limits = "sees an image in the size that its preprocessing makes of it"
    _options = ("pooling",)
    _packages = ("transformers", "pillow")
    _small = PROCESSOR

    def __init__(
        self,
        model: str,
        *,
        pooling: ImagePooling = "auto",
        layer: int | None = None,
        revision: str | None = None,
        name: str | None = None,
        license: str | None = None,  # noqa: A002 - the card's word
        device: str = "cpu",
        batch_size: int = 16,
    ) -> None:
        self.model = model
        self.pooling: ImagePooling = pooling
        self.layer = layer
        self.revision = revision
        self.name = name
        self.license = license
        self.device = device
        self.batch_size = batch_size

    @property
    def _known_dim(self) -> int | None:
        facts = self._facts if self.layer is None else None
        return facts.dim if facts and self.pooling == facts.options["pooling"] else None

    def _describe(self, checkpoint: checkpoints.Checkpoint) -> Origin:
        config = checkpoints.read_config(checkpoint)
        pooling = self._resolved(config)
        return origin_of(checkpoint, _width(config, pooling), FILES, {"pooling": pooling})

    def _resolved(self, config: Any) -> ImagePooling:
        if self.layer is None:
            return _resolved(config, self.pooling)
        check_layer(self.layer, _vision(config), self.model)
        if self.pooling in {"features", "pooler"}:
            raise ConfigError(
                f"{self.model}: pooling={self.pooling!r} is made of the last layer; choose "
                f"pooling='cls' or 'mean', or hf-vision:{self.model}{layers.SUFFIX}{self.layer}"
            )
        usual = "cls" if config.model_type in WITH_CLASS_TOKEN else "mean"
        return usual if self.pooling == "auto" else self.pooling

    def _load(self) -> _ImageModel:
        checkpoint = self._locate(weights=True)
        config = checkpoints.read_config(checkpoint)
        if config.model_type in RANDOM:
            raise ConfigError(f"{self.model} hides patches at random: its rows would not repeat")
        pooling = self._resolved(config)
        origin = self._checked(self._describe(checkpoint))
        model: Any = checkpoints.load_model(checkpoint, config, self.device)
        if pooling != "features":
            model = getattr(model, "vision_model", model)
        elif not hasattr(model, "get_image_features"):
            raise ConfigError(f"{self.model} was not trained with texts: it has no features")
        if pooling == "pooler" and _lacks_pooler(model, checkpoint.folder):
            raise WeightsError(
                f"{checkpoint.folder} holds no weights of its pooler, which would be random: "
                "choose pooling='cls' or 'mean'"
            )
        side = getattr(_vision(config), "patch_size", 0)
        return _ImageModel(
            origin=origin,
            model=model,
            processor=inputs.load_image_processor(checkpoint),
            patch=side if isinstance(side, int) else 0,
            pooling=pooling,
        )

    def _prepare(self, loaded: _ImageModel, picture: Picture) -> ImageArray:
        # An image and no array: of an array, few pixels could be taken for channels.
        read = loaded.processor(images=[Image.fromarray(picture)], return_tensors="np")
        if set(read) - {"pixel_values", "pixel_mask"}:
            raise ConfigError(f"{self.model} reads more than pixels: {', '.join(sorted(read))}")
        return read["pixel_values"][0]

    def _encode(self, loaded: _ImageModel, batch: ImageArray) -> Matrix:
        model: Any = loaded.model
        pixels = torch.from_numpy(batch).float().to(devices.of(model))
        if loaded.pooling == "features":
            features = model.get_image_features(pixel_values=pixels)
            values = getattr(features, "pooler_output", features)
        else:
            side = loaded.patch
            patches = (pixels.shape[2] // side) * (pixels.shape[3] // side) if side else 0
            values = self._pooled(model, pixels, loaded.pooling, patches)
        return values.float().cpu().numpy()

    def _pooled(self, model: nn.Module, pixels: Tensor, how: ImagePooling, patches: int) -> Tensor:
        if how == "pooler":
            return from_pooler(model(pixel_values=pixels))
        return pooled(hidden_states(model, self.layer, {"pixel_values": pixels}), how, patches)


def from_pooler(output: Any) -> Tensor:
    """Returns what a model's own pooler makes of an image; shape (b, d).

    Raises:
        ConfigError: the model has none.
    """
    features = getattr(output, "pooler_output", None)
    if features is None:
        raise ConfigError("the model has no pooler: choose pooling='cls' or 'mean'")
    return features.flatten(1)


def pooled(states: Tensor, pooling: ImagePooling, patches: int) -> Tensor:
    """Makes one vector per image of a model's hidden states.

    Args:
        states: shape (b, t, d), or (b, d, h, w) without any tokens but those of places.
        pooling: "cls" or "mean".
        patches: patches of an image; tokens before them stand for none.

    Returns:
        Shape (b, d).

    Raises:
        ConfigError: the model has no class token.
    """
    if states.ndim == 4:
        states = states.flatten(2).transpose(1, 2)
    before = states.shape[1] - patches if 0 < patches < states.shape[1] else 0
    if pooling == "mean":
        return states[:, before:].mean(dim=1)
    if not before:
        raise ConfigError("the model has no class token: choose pooling='mean' or 'pooler'")
    return states[:, 0]


def _vision(config: Any) -> Any:
    return getattr(config, "vision_config", config)


def _resolved(config: Any, pooling: ImagePooling) -> ImagePooling:
    if pooling != "auto":
        return pooling
    if hasattr(config, "vision_config") and hasattr(config, "text_config"):
        return "features"
    return "cls" if config.model_type in WITH_CLASS_TOKEN else "pooler"


def _width(config: Any, pooling: ImagePooling) -> int:
    vision = _vision(config)
    if pooling == "features":
        width = getattr(config, "projection_dim", None) or getattr(vision, "hidden_size", None)
    else:
        widths = getattr(vision, "hidden_sizes", None)
        width = getattr(vision, "hidden_size", None) or (widths[-1] if widths else None)
    if not isinstance(width, int):
        raise WeightsError(f"model type {config.model_type!r} is no encoder of images")
    return width


def _lacks_pooler(model: nn.Module, folder: Path) -> bool:
    """Says whether a model has a pooler with weights that its files do not hold."""
    from safetensors import safe_open

    weights = [name for name, _ in model.named_parameters() if name.startswith("pooler.")]
    if not weights:
        return False
    stored: list[str] = []
    for file in folder.glob("model*.safetensors"):
        with safe_open(file, framework="pt") as opened:
            stored += opened.keys()
    return not all(any(name.endswith(weight) for name in stored) for weight in weights)
