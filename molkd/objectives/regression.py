"""The baselines: regression of standardised teachers, with the same heads and targets as MI."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from molkd.objectives.base import Objective


class MeanSquaredError(Objective):
    """Mean over dimensions of the squared error: a Gaussian whose scale is fixed."""

    unit: ClassVar[str] = "squared standard deviations"

    def _outputs(self, name: str) -> int:
        return self.specs[name].dim

    def _row_loss(self, name: str, outputs: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        return (outputs.float() - target).square().mean(dim=-1)


class Cosine(Objective):
    """One minus the cosine between prediction and target: blind to the length of either."""

    unit: ClassVar[str] = "1 - cosine"

    def _outputs(self, name: str) -> int:
        return self.specs[name].dim

    def _row_loss(self, name: str, outputs: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        return 1 - functional.cosine_similarity(outputs.float(), target, dim=-1)
