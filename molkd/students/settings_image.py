"""Sizes of the image students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from molkd.errors import ConfigError
from molkd.students.settings import StudentSettings

if TYPE_CHECKING:  # it loads transformers
    from molkd.students.image_encoder import ImageStudent


def _vit(hidden: int, layers: int, patch: int, image: int) -> dict[str, Any]:
    return {
        "model_type": "vit",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 32,
        "intermediate_size": 4 * hidden,
        "patch_size": patch,
        "image_size": image,
    }


def _pvt(widths: list[int], depths: list[int], image: int) -> dict[str, Any]:
    return {
        "model_type": "pvt_v2",
        "hidden_sizes": widths,
        "depths": depths,
        "image_size": image,
        "num_attention_heads": [max(width // 32, 1) for width in widths],
    }


_BODIES: Mapping[str, Mapping[str, Any]] = {
    "vit-tiny": _vit(128, 4, 4, 32),
    "vit-small": _vit(256, 6, 16, 224),
    "pvt-tiny": {
        **_pvt([32, 64, 96, 128], [1, 1, 1, 1], 32),
        "patch_sizes": [3, 3, 3, 3],
        "strides": [2, 2, 2, 2],
        "mlp_ratios": [4, 4, 4, 4],
    },
    "pvt-v2-b0": _pvt([32, 64, 160, 256], [2, 2, 2, 2], 224),
}
_DIMS: Mapping[str, int] = {"vit-tiny": 128, "vit-small": 256, "pvt-tiny": 128, "pvt-v2-b0": 256}


@dataclass(frozen=True, kw_only=True)
class ImageSettings(StudentSettings):
    """An image student; `pvt-v2-b0` has the shape of the published model of that name.

    Attributes:
        embedding_dim: width of the embedding.
        image_size: pixels along each side of what it reads.
        patch_size: pixels along each side of a patch; only of a ViT.
        dropout: in [0, 1).
    """

    modality: ClassVar[str] = "images"

    embedding_dim: int | None = None
    image_size: int | None = None
    patch_size: int | None = None
    dropout: float = 0.0

    def build(self, items: Sequence[Any]) -> ImageStudent:  # noqa: ARG002
        """See `StudentSettings`."""
        from molkd.students.image_encoder import ImageStudent

        body = {**_BODIES[self.size], "hidden_dropout_prob": self.dropout}
        body["attention_probs_dropout_prob"] = self.dropout
        if self.image_size is not None:
            body["image_size"] = self.image_size
        if self.patch_size is not None:
            if "patch_size" not in body:
                raise ConfigError(f"student.patch_size is an option of a ViT, not of {self.size}")
            body["patch_size"] = self.patch_size
        dim = _DIMS[self.size] if self.embedding_dim is None else self.embedding_dim
        return ImageStudent({"body": body, "embedding_dim": dim})
