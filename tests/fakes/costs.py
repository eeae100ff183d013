"""Objectives that spend the time of a fake clock, or memory, in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from molkd.objectives import ObjectiveSettings
from molkd.objectives.regression import Cosine
from molkd.tensors import Features, FeatureSpec, Loss, Targets, TargetSpec
from tests.fakes.clocks import FakeClock

CLOCK = FakeClock()
STEPS: list[str] = []
"""Names of the objectives whose steps were trained, in order; to be cleared by a test."""

EXTRA = 1000
BALLAST_MB = 128


class Quick(Cosine):
    """A second per training step."""

    seconds: ClassVar[float] = 1.0

    def forward(self, features: Features, targets: Targets) -> Loss:
        if self.training:
            CLOCK.spend(self.seconds)
            STEPS.append(type(self).__name__)
        return super().forward(features, targets)


class Slow(Quick):
    """Three seconds per training step, and weights that nothing needs."""

    seconds: ClassVar[float] = 3.0

    def __init__(
        self,
        features: FeatureSpec,
        specs: Mapping[str, TargetSpec],
        settings: ObjectiveSettings | None = None,
    ) -> None:
        super().__init__(features, specs, settings)  # pyright: ignore[reportArgumentType]
        self.extra = nn.Parameter(torch.zeros(EXTRA))


class Heavy(Quick):
    """Holds `BALLAST_MB` that nothing needs."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.register_buffer("ballast", torch.ones(BALLAST_MB * 2**20 // 4))
