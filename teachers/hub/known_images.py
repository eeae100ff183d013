"""Image encoders of the Hugging Face hub that molkd knows by name: facts, no code.

The hub was not asked. Widths follow from the architectures; licences are those that copies of the
models' pages state, and where none was found they read `UNSTATED`. No commit is known, so that the
main branch is used and the card carries the commit once it has been resolved; whether that branch
holds safetensors was not verified either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from molkd.teachers.base.provenance import UNSTATED

ImagePooling = Literal["auto", "features", "pooler", "cls", "mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionModel:
    """A model of the hub.

    Attributes:
        name: registry name.
        hub: name on the hub, "owner/model".
        dim: width of its embedding under `pooling`.
        source: paper.
        pooling: pooling that its card means.
        license: licence of the weights.
    """

    name: str
    hub: str
    dim: int
    source: str
    pooling: ImagePooling
    license: str = UNSTATED

    @property
    def options(self) -> dict[str, Any]:
        """Keywords that make `HubVisionTeacher` this model; it takes the rest from here."""
        return {"model": self.hub, "pooling": self.pooling}


NAMED: dict[str, VisionModel] = {
    model.name: model
    for model in (
        VisionModel(
            name="vit-base-patch16-224-in21k",
            hub="google/vit-base-patch16-224-in21k",
            dim=768,
            source="ViT, arXiv:2010.11929",
            pooling="cls",
            license="Apache-2.0",
        ),
        VisionModel(
            name="swin-base-patch4-window7-224",
            hub="microsoft/swin-base-patch4-window7-224",
            dim=1024,
            source="Swin, arXiv:2103.14030",
            pooling="pooler",  # the mean over places
        ),
        VisionModel(
            name="beit-base-patch16-224",
            hub="microsoft/beit-base-patch16-224",
            dim=768,
            source="BEiT, arXiv:2106.08254",
            pooling="pooler",  # the mean over patches, normalised: what its classifier reads
            license="Apache-2.0",
        ),
        VisionModel(
            name="dinov2-base",
            hub="facebook/dinov2-base",
            dim=768,
            source="DINOv2, arXiv:2304.07193",
            pooling="cls",
        ),
        VisionModel(
            name="clip-vit-base-patch32",
            hub="openai/clip-vit-base-patch32",
            dim=512,
            source="CLIP, arXiv:2103.00020",
            pooling="features",  # in the space that it shares with texts
        ),
    )
}
"""Registry name -> model."""

BY_HUB: dict[str, VisionModel] = {model.hub: model for model in NAMED.values()}
"""Name on the hub -> model."""
