"""What predicts a teacher: a head on the student's embedding, and rungs on its layers.

Source of the ladder: Sariyildiz et al. 2024, "UNIC: Universal Classification Models via
Multi-teacher Distillation" (ECCV; arXiv 2408.05088): one projector per layer, summed, so that a
short path leads from the loss to every layer. Here the rungs are narrow by default, the last one
reads the embedding itself (a readout between layers and embedding would else get no gradient),
and a rung reads the pooled state of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives.settings import HeadSettings


class Ladder(nn.Module):
    """Predicts one teacher: the sum of a head on the last input and a rung on each of some layers.

    Its `last` head reads the embedding, or, for parts of an item, their last state.
    """

    def __init__(
        self,
        last: int,
        layers: Sequence[int],
        rungs: Sequence[int],
        outputs: int,
        s: HeadSettings,
        *,
        skipped: int | None = None,
    ) -> None:
        """Builds the heads.

        Args:
            last: width of the last input.
            layers: widths of all layers.
            rungs: the layers that have a rung.
            outputs: numbers to predict.
            s: their shape.
            skipped: how many of the outputs, the first ones, `head_skip` leads to; by default all.
        """
        super().__init__()
        self._layers = tuple(rungs)
        self.last = _head(last, s.head_hidden, outputs, s)
        self.skip = nn.Linear(last, skipped or outputs, bias=False) if s.head_skip else None
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
            straight = cast("Tensor", self.skip(last))
            prediction = prediction + nn.functional.pad(
                straight, (0, prediction.shape[1] - straight.shape[1])
            )
        for layer, rung in zip(self._layers, self.rungs, strict=True):
            prediction = prediction + cast("Tensor", rung(layers[layer]))
        return prediction

    @property
    def skipped(self) -> int:
        """How many of the outputs a skip leads to."""
        return 0 if self.skip is None else self.skip.out_features

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
