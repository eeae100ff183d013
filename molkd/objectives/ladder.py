"""What predicts a teacher: a head on the student's embedding, and rungs on its layers.

Source of the ladder: Sariyildiz et al. 2024, "UNIC: Universal Classification Models via
Multi-teacher Distillation" (ECCV; arXiv 2408.05088): one projector per layer, summed, so that a
short path leads from the loss to every layer. Here the rungs are narrow by default, the last one
reads the embedding itself (a readout between layers and embedding would else get no gradient),
and a rung reads the pooled state of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives.base import ObjectiveSettings
from molkd.tensors import FeatureSpec

Norm = Literal["hidden", "input", "none"]


@dataclass(frozen=True, kw_only=True)
class HeadSettings(ObjectiveSettings):
    """The shape of what predicts a teacher.

    Attributes:
        head_hidden: width of the hidden layers between embedding and one teacher.
        head_layers: number of these hidden layers; 0 makes a head linear.
        head_norm: where a head normalises: its hidden layers, its input, or nowhere.
        head_skip: whether a linear map from the embedding is added to them.
        ladder: 0 predicts from the embedding alone; k also from the last but one layer and every
            k-th one before it.
        rung_hidden: width of the hidden layers between one layer and one teacher.
    """

    head_hidden: int = 384
    head_layers: int = 1
    head_norm: Norm = "hidden"
    head_skip: bool = False
    ladder: int = 0
    rung_hidden: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        least = {"head_hidden": 1, "head_layers": 0, "ladder": 0, "rung_hidden": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                found = getattr(self, name)
                raise ConfigError(f"objective: {name} must be at least {low}, not {found}")
        if self.head_norm not in get_args(Norm):
            raise ConfigError(f"head_norm is one of {get_args(Norm)}, not {self.head_norm!r}")

    def rungs(self, features: FeatureSpec) -> tuple[int, ...]:
        """The layers that have a rung; never the last one, whose place the embedding takes.

        Raises:
            ConfigError: a ladder is asked for, and the student shows no layers.
        """
        if not self.ladder:
            return ()
        if not features.layers:
            raise ConfigError(f"ladder={self.ladder} needs a student that shows its layers")
        return tuple(range(len(features.layers) - 2, -1, -self.ladder))[::-1]


class Ladder(nn.Module):
    """Predicts one teacher: the sum of a head on the last input and a rung on each of some layers.

    Its `last` head reads the embedding, or, for parts of an item, their last state.
    """

    def __init__(
        self, last: int, layers: Sequence[int], rungs: Sequence[int], outputs: int, s: HeadSettings
    ) -> None:
        """Builds the heads.

        Args:
            last: width of the last input.
            layers: widths of all layers.
            rungs: the layers that have a rung.
            outputs: numbers to predict.
            s: their shape.
        """
        super().__init__()
        self._layers = tuple(rungs)
        self.last = _head(last, s.head_hidden, outputs, s)
        self.skip = nn.Linear(last, outputs, bias=False) if s.head_skip else None
        self.rungs = nn.ModuleList(_head(layers[at], s.rung_hidden, outputs, s) for at in rungs)

    def forward(self, last: Tensor, layers: Sequence[Tensor]) -> Tensor:
        """The prediction.

        Args:
            last: shape (m, d).
            layers: shape (m, d_l) each, of all layers.

        Returns:
            Shape (m, outputs).
        """
        prediction = cast("Tensor", self.last(last))
        if self.skip is not None:
            prediction = prediction + cast("Tensor", self.skip(last))
        for layer, rung in zip(self._layers, self.rungs, strict=True):
            prediction = prediction + cast("Tensor", rung(layers[layer]))
        return prediction

    @torch.no_grad()
    def start_at(self, bias: Tensor) -> None:
        """Makes the prediction begin near a constant of shape (outputs,)."""
        for head in (self.last, *self.rungs):
            final = cast("nn.Linear", cast("nn.Sequential", head)[-1])
            nn.init.normal_(final.weight, std=0.01)
            nn.init.zeros_(final.bias)
        if self.skip is not None:
            nn.init.zeros_(self.skip.weight)
        final = cast("nn.Linear", self.last[-1])
        final.bias.copy_(bias)

    @torch.no_grad()
    def start_linear(self, slope: Tensor, bias: Tensor) -> None:
        """Makes the first k outputs begin at a linear map; needs `head_skip`.

        Args:
            slope: shape (k, d).
            bias: shape (k,).
        """
        if self.skip is None:
            raise ConfigError("a head begins at a linear map only with head_skip = true")
        final = cast("nn.Linear", self.last[-1])
        count = len(bias)
        self.skip.weight[:count] = slope
        final.weight[:count] = 0
        final.bias[:count] = bias


def _head(width: int, hidden: int, outputs: int, settings: HeadSettings) -> nn.Sequential:
    layers: list[nn.Module] = []
    if settings.head_norm == "input":
        layers.append(nn.LayerNorm(width))
    for _ in range(settings.head_layers):
        # Normalised after the linear map: before it, the embedding's own length would be lost.
        norm = [nn.LayerNorm(hidden)] if settings.head_norm == "hidden" else []
        layers += [nn.Linear(width, hidden), *norm, nn.GELU()]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, outputs))
