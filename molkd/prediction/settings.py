"""How measured compounds are cross-validated, and what is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from molkd.runtime.settings import validate


@dataclass(frozen=True, kw_only=True)
class TrialSettings:
    """How measured compounds are cross-validated, and what is fitted.

    Attributes:
        model_of: embedding, forest or tanimoto; better takes the one that is best on scaffolds held
            out.
        repeats: of the cross-validation, each with other folds; by default five for up to 300
            compounds, one from 1,500 on.
        seed: of folds, forest and bootstrap.
        confidence: share of the intervals, or sets of classes, that shall hold the true value.
    """

    model_of: Literal["better", "embedding", "forest", "tanimoto"] = "better"
    repeats: int | None = None
    seed: int = 0
    confidence: float = 0.9

    def __post_init__(self) -> None:
        rules = {
            "repeats must be at least 1": self.repeats is None or self.repeats >= 1,
            "seed must not be negative": self.seed >= 0,
            "confidence must be at least 0.5 and less than 1": 0.5 <= self.confidence < 1,
        }
        validate(self, rules)

    def repeats_of(self, compounds: int) -> int:
        """Returns the repeats for a number of compounds."""
        return self.repeats or min(max(1500 // compounds, 1), 5)
