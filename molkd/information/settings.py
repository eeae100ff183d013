"""How densities are fitted after training; no torch, so that the command line can read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from molkd.runtime.settings import validate


@dataclass(frozen=True, kw_only=True)
class DensitySettings:
    """How densities of the teachers given the embedding are fitted.

    Attributes:
        epochs: passes over the training rows; each teacher keeps its best one.
        batch_size: rows per step.
        lr: highest learning rate of AdamW, decayed to zero along a cosine.
        hidden: width of the density networks' hidden layer.
        held_out: share of the training rows that chooses the best epoch.
        train_rows: rows to fit on, at most.
        seed: of draws, initial weights and order; a distillation gives its own.
    """

    table: ClassVar[str]

    epochs: int = 12
    batch_size: int = 512
    lr: float = 2e-3
    hidden: int = 384
    held_out: float = 0.1
    train_rows: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        validate(self, {})
        rules = {
            "epochs must be at least 1": self.epochs >= 1,
            "batch_size must be at least 1": self.batch_size >= 1,
            "hidden must be at least 1": self.hidden >= 1,
            "lr must be positive": self.lr > 0,
            "held_out must lie in (0, 1)": 0 < self.held_out < 1,
            "train_rows must be at least 4": self.train_rows >= 4,
        }
        validate(self, rules)


@dataclass(frozen=True, kw_only=True)
class EstimatorSettings(DensitySettings):
    """How it is estimated what a student knows.

    Attributes:
        valid_rows: rows to report on, at most.
    """

    table: ClassVar[str] = "estimate"

    valid_rows: int = 5_000

    def __post_init__(self) -> None:
        super().__post_init__()
        validate(self, {"valid_rows must be at least 2": self.valid_rows >= 2})


@dataclass(frozen=True, kw_only=True)
class AdaptorSettings(DensitySettings):
    """How adaptors are fitted: in fewer passes over more rows."""

    table: ClassVar[str] = "adaptors"

    epochs: int = 4
    train_rows: int = 100_000
