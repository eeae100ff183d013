"""How a student is trained: the numbers, and the two functions that follow from them."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from molkd.errors import ConfigError

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How a student is trained.

    Attributes:
        epochs: passes over the training rows, at most.
        batch_size: items per step.
        lr: highest learning rate of AdamW.
        warmup: share of all steps over which the rate rises from zero.
        weight_decay: of AdamW.
        clip: largest gradient norm, of the student and of the heads each.
        ema: decay of the running average of the weights; 0 keeps the last weights.
        patience: epochs without a better validation loss after which training stops.
        precision: of the forward pass; losses are always float32. "auto" takes bf16 on CUDA.
        checkpoint_minutes: longest time between checkpoints; one is also written every epoch.
        seed: of initial weights, order and dropout.
    """

    epochs: int = 10
    batch_size: int = 256
    lr: float = 1e-3
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.998
    patience: int = 5
    precision: Precision = "auto"
    checkpoint_minutes: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        checks = {
            "epochs must be at least 1": self.epochs >= 1,
            "batch_size must be at least 1": self.batch_size >= 1,
            "lr must be positive": self.lr > 0,
            "warmup must lie in [0, 1)": 0 <= self.warmup < 1,
            "weight_decay must not be negative": self.weight_decay >= 0,
            "clip must be positive": self.clip > 0,
            "ema must lie in [0, 1)": 0 <= self.ema < 1,
            "patience must be at least 1": self.patience >= 1,
            "checkpoint_minutes must not be negative": self.checkpoint_minutes >= 0,
            f"precision is one of {get_args(Precision)}": self.precision in get_args(Precision),
            "seed must not be negative": self.seed >= 0,
        }
        for rule, holds in checks.items():
            if not holds:
                raise ConfigError(f"plan: {rule}, not {getattr(self, rule.split()[0])!r}")

    def lr_factor(self, step: int, steps: int) -> float:
        """The learning rate of one of all steps, counted from 0, as a share of the highest one.

        That at the middle of the step: neither the first nor the last teaches nothing.
        """
        share = (step + 0.5) / steps
        if share < self.warmup:
            return share / self.warmup
        return 0.5 * (1 + math.cos(math.pi * (share - self.warmup) / (1 - self.warmup)))

    def autocast(self, device: torch.device) -> contextlib.AbstractContextManager[object]:
        """The context in which the networks run."""
        half = self.precision == "bf16" or (self.precision == "auto" and device.type == "cuda")
        if not half:
            return contextlib.nullcontext()
        return torch.autocast(device.type, dtype=torch.bfloat16)
