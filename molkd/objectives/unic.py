"""UNIC: a ladder of projectors, cosine and smooth L1, and teacher dropping.

Source: Sariyildiz et al. 2024, "UNIC: Universal Classification Models via Multi-teacher
Distillation" (ECCV; arXiv 2408.05088), and the authors' released code. Differs from them by
default: teachers are standardised by exact statistics instead of running ones (`scaling = "ema"`
is theirs), rungs are narrow (theirs: `rung_hidden` as wide as the layer, `head_hidden` four times
as wide), the last rung reads the embedding, and evaluation drops no teacher.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from molkd.objectives.headwise import HeadwiseObjective
from molkd.objectives.ladder import Ladder
from molkd.objectives.settings import ObjectiveSettings, UnicSettings
from molkd.tensors import FeatureSpec


class Unic(HeadwiseObjective):
    """Half one minus the cosine, half smooth L1, of standardised teachers."""

    unit: ClassVar[str] = "half 1 - cosine, half smooth L1 of standard deviations"
    settings_type: ClassVar[type[ObjectiveSettings]] = UnicSettings
    settings: UnicSettings  # pyright: ignore[reportIncompatibleVariableOverride]

    def _head(self, head: str, features: FeatureSpec) -> Ladder:
        ladder = super()._head(head, features)
        for module in ladder.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:  # pyright: ignore[reportUnnecessaryComparison]
                    nn.init.zeros_(module.bias)
        return ladder

    def _outputs(self, head: str) -> int:
        return self.head_specs[head].dim

    def _row_loss(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        outputs = outputs.float()
        cosine = 1 - functional.cosine_similarity(outputs, target, dim=-1)
        smooth = functional.smooth_l1_loss(outputs, target, reduction="none").mean(dim=-1)
        return torch.lerp(smooth, cosine, self.settings.cosine_weight)
