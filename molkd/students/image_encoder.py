"""The image student: a small ViT or PVT-v2, the mean over its patches, and a projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from molkd.items.images.pixels import Pixels, Resizing
from molkd.students.transformer_base import TransformerStudent
from molkd.tensors import Features


@dataclass(frozen=True, slots=True)
class PixelBatch:
    """b images.

    Attributes:
        values: shape (b, 3, s, s), from -1 to 1.
    """

    values: Tensor

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        return type(self)(self.values.to(device, non_blocking=True))


class ImageStudent(TransformerStudent[object, Pixels, PixelBatch]):
    """A vision transformer by configuration; reads squares of `size` pixels."""

    kind: ClassVar[str] = "image-encoder"
    modality: ClassVar[str] = "images"
    bodies: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "vit": {"add_pooling_layer": False},
        "pvt_v2": {},
    }

    @property
    def size(self) -> int:
        """Pixels along each side of what it reads."""
        size = self.body_config.image_size
        return int(size[0] if isinstance(size, Sequence) else getattr(size, "height", size))

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each layer's or stage's state."""
        stages = getattr(self.body_config, "hidden_sizes", None)
        return tuple(stages) if stages else super().widths

    @property
    def featurize(self) -> Callable[[Sequence[Any]], Pixels]:
        """What decodes and resizes images."""
        return Resizing(self.size)

    def collate(self, prepared: Pixels) -> PixelBatch:
        """Makes tensors of pixels."""
        values = torch.from_numpy(prepared.values).permute(0, 3, 1, 2)
        return PixelBatch(values.to(torch.float32) / 127.5 - 1)

    def forward(self, batch: PixelBatch, *, layers: bool = False, nodes: bool = False) -> Features:  # noqa: ARG002
        """Embeds a batch; shape (b, embedding_dim)."""
        last, states = self._states(pixel_values=batch.values)
        pooled = tuple(_mean(state) for state in states) if layers else ()
        return Features(self.project(_mean(last)), pooled)

    @property
    def files(self) -> Mapping[str, bytes]:
        """How images are made into what it reads, in transformers' words."""
        return {"preprocessor_config.json": Resizing(self.size).as_json()}


def _mean(state: Tensor) -> Tensor:
    """Shape (b, d): mean over the tokens (b, t, d) or over the map (b, d, h, w)."""
    return state.mean(dim=1) if state.ndim == 3 else state.mean(dim=(2, 3))
