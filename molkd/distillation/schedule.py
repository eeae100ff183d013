"""How a student is trained: the numbers, and the two functions that follow from them."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from molkd.deprecated import renamed
from molkd.runtime.settings import validate

if TYPE_CHECKING:  # the command line reads the settings without it
    import torch

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
        seed: of initial weights, order, dropout and split.
    """

    table: ClassVar[str] = "train"

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
        validate(self, {})
        rules = {
            "epochs must be at least 1": self.epochs >= 1,
            "batch_size must be at least 1": self.batch_size >= 1,
            "lr must be positive": self.lr > 0,
            "warmup must lie in [0, 1)": 0 <= self.warmup < 1,
            "weight_decay must not be negative": self.weight_decay >= 0,
            "clip must be positive": self.clip > 0,
            "ema must lie in [0, 1)": 0 <= self.ema < 1,
            "patience must be at least 1": self.patience >= 1,
            "checkpoint_minutes must not be negative": self.checkpoint_minutes >= 0,
            "seed must not be negative": self.seed >= 0,
        }
        validate(self, rules)

    def lr_factor(self, step: int, steps: int) -> float:
        """Returns the learning rate of a step as a share of the highest one.

        Steps count from 0. It is the rate at the middle of the step, which is not zero at either
        end of training.
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
        from molkd.runtime import devices  # it loads torch

        return devices.bf16(device)


if not TYPE_CHECKING:  # a checker would take any name for one of these

    def __getattr__(name: str) -> object:
        return renamed(__name__, name)
