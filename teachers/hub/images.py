"""Image encoders of the Hugging Face kind, with their own preprocessing, as teachers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image
from sklearn.utils._param_validation import StrOptions
from torch import Tensor, nn

from molkd.errors import ConfigError, WeightsError
from molkd.hub import checkpoints, inputs
from molkd.items.images.decoding import Picture
from molkd.teachers.base.provenance import Origin, stated
from molkd.teachers.hub.known_images import BY_HUB, NAMED, ImagePooling, VisionModel
from molkd.teachers.vision.network import Prepared, VisionNetworkTeacher
from molkd.types import Matrix, TeacherCard

__all__ = ["NAMED", "HubVisionTeacher", "VisionModel"]

FILES = (
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "preprocessor_config.json",
    "processor_config.json",
)
"""What decides the numbers of a model that reads images."""

WITH_CLASS_TOKEN = frozenset(
    {"vit", "deit", "vit_msn", "dinov2", "dinov2_with_registers", "dinov3_vit"}
)
"""Model types that are meant to be read at their class token.

The pooler of a ViT is a further layer, which many checkpoints lack.
"""


RANDOM = frozenset({"vit_mae"})
"""Model types that hide patches at random, also outside training."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A loaded model.

    Attributes:
        model: with its text part, if it has one.
        processor: brings an image to what the model reads.
        patch: pixels of a patch's side; 0 where the model has no patches.
        pooling: as resolved.
        origin: for the card.
    """

    model: nn.Module
    processor: Any
    patch: int
    pooling: ImagePooling
    origin: Origin


class HubVisionTeacher(VisionNetworkTeacher):
    """The embedding of an image by an encoder in the format of the Hugging Face hub.

    How an image is resized, cut and normalised is what preprocessor_config.json says, by Pillow
    and NumPy whatever else is installed.

    Attributes:
        model: local directory in the hub's format, or name on the hub.
        pooling: "features", the projection of a model that was trained with texts; "pooler", what
            the architecture itself makes of its last states; "cls", the last state of the class
            token; "mean" over the last states of all patches; "auto" is features where a model
            has them, the class token for those that are meant to be read there (ViT, DeiT,
            DINO), else the pooler.
        revision: commit, tag, branch or "refs/pr/N" on the hub; None is the main branch.
        name: name on the card; None is derived from `model`.
        license: licence on the card; None is what molkd knows of the model.
        device: where torch computes.
        batch_size: images per forward pass.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **VisionNetworkTeacher._parameter_constraints,  # noqa: SLF001
        "model": [str],
        "pooling": [StrOptions({"auto", "features", "pooler", "cls", "mean"})],
        "revision": [str, None],
        "name": [str, None],
        "license": [str, None],
    }

    def __init__(
        self,
        model: str,
        *,
        pooling: ImagePooling = "auto",
        revision: str | None = None,
        name: str | None = None,
        license: str | None = None,  # noqa: A002 - the card's word
        device: str = "cpu",
        batch_size: int = 16,
    ) -> None:
        self.model = model
        self.pooling: ImagePooling = pooling
        self.revision = revision
        self.name = name
        self.license = license
        self.device = device
        self.batch_size = batch_size

    @property
    def card(self) -> TeacherCard:
        """What the model is; asks the hub for config.json at most, never for weights.

        Raises:
            InvalidParameterError: a parameter has another type or value than documented.
            WeightsError: neither a known model nor one whose config.json can be had.
        """
        self._validate_params()
        known = BY_HUB.get(self.model)
        pooling, origin = self._origin(known)
        return TeacherCard(
            **stated(self.model, known, name=self.name, license=self.license),
            kind="image network",
            modality="images",
            dim=origin.dim,
            support="real",
            limits="sees an image in the size that its preprocessing makes of it",
            sha256=origin.sha256,
            options={"pooling": pooling, "revision": origin.revision},
            versions={package: version(package) for package in ("transformers", "pillow")},
        )

    def _origin(self, known: VisionModel | None) -> tuple[ImagePooling, Origin]:
        if self._loaded is not None and self._loaded[0] == self._key:
            return self._loaded[1].pooling, self._loaded[1].origin
        try:
            checkpoint = checkpoints.locate(self.model, self.revision, weights=False)
        except WeightsError:
            if known is None or self.pooling != known.pooling:
                raise
            return known.pooling, Origin(known.dim, self.revision, {})
        return _origin_of(checkpoint, checkpoints.read_config(checkpoint), self.pooling)

    @property
    def _key(self) -> tuple[object, ...]:
        return (self.model, self.revision, self.pooling, self.device)

    def _load(self) -> _Ready:
        checkpoint = checkpoints.locate(self.model, self.revision, weights=True, also=FILES)
        config = checkpoints.read_config(checkpoint)
        if config.model_type in RANDOM:
            raise ConfigError(f"{self.model} hides patches at random: its rows would not repeat")
        pooling, origin = _origin_of(checkpoint, config, self.pooling)
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
        processor = inputs.load_image_processor(checkpoint)
        patch = getattr(_vision(config), "patch_size", 0)
        return _Ready(model, processor, patch if isinstance(patch, int) else 0, pooling, origin)

    def _prepare(self, loaded: _Ready, picture: Picture) -> Prepared:
        # An image and no array: of an array, few pixels could be taken for channels.
        read = loaded.processor(images=[Image.fromarray(picture)], return_tensors="np")
        if set(read) - {"pixel_values", "pixel_mask"}:
            raise ConfigError(f"{self.model} reads more than pixels: {', '.join(sorted(read))}")
        return read["pixel_values"][0]

    def _encode(self, loaded: _Ready, batch: Prepared) -> Matrix:
        pixels = torch.from_numpy(batch).float().to(self.device)
        if loaded.pooling == "features":
            found = loaded.model.get_image_features(pixel_values=pixels)  # type: ignore[operator]
            values = getattr(found, "pooler_output", found)
        else:
            patches = (
                (pixels.shape[2] // loaded.patch) * (pixels.shape[3] // loaded.patch)
                if loaded.patch
                else 0
            )
            values = pooled(loaded.model(pixel_values=pixels), loaded.pooling, patches)
        return values.float().cpu().numpy()


def pooled(output: Any, pooling: ImagePooling, patches: int) -> Tensor:
    """Makes one vector per image of what a model gives.

    Args:
        output: with last_hidden_state of shape (b, t, d), or (b, d, h, w) without any tokens but
            those of places; and with pooler_output of b times d numbers, or None.
        pooling: "pooler", "cls" or "mean".
        patches: patches of an image; tokens before them stand for none.

    Returns:
        Shape (b, d).

    Raises:
        ConfigError: the model has no pooler, or no class token.
    """
    states = output.last_hidden_state
    if pooling == "pooler":
        found = getattr(output, "pooler_output", None)
        if found is None:
            raise ConfigError("the model has no pooler: choose pooling='cls' or 'mean'")
        return found.flatten(1)
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


def _origin_of(
    checkpoint: checkpoints.Checkpoint, config: Any, pooling: ImagePooling
) -> tuple[ImagePooling, Origin]:
    resolved = _resolved(config, pooling)
    return resolved, Origin.of(_width(config, resolved), checkpoint, FILES)


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

    wanted = [name for name, _ in model.named_parameters() if name.startswith("pooler.")]
    if not wanted:
        return False
    held: list[str] = []
    for file in folder.glob("model*.safetensors"):
        with safe_open(file, framework="pt") as opened:
            held += opened.keys()
    return not all(any(name.endswith(want) for name in held) for want in wanted)
