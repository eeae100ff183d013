"""The baselines: regression of standardised teachers, with the same heads and targets as MI."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from molkd.objectives.headwise import HeadwiseObjective


class MeanSquaredError(HeadwiseObjective):
    """Mean over dimensions of the squared error: a Gaussian whose scale is fixed."""

    unit: ClassVar[str] = "squared standard deviations"

    def _outputs(self, head: str) -> int:
        return self.head_specs[head].dim

    def _row_loss(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        return (outputs.float() - target).square().mean(dim=-1)


class Cosine(HeadwiseObjective):
    """One minus the cosine between prediction and target: blind to the length of either."""

    unit: ClassVar[str] = "1 - cosine"

    def _outputs(self, head: str) -> int:
        return self.head_specs[head].dim

    def _row_loss(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        return 1 - functional.cosine_similarity(outputs.float(), target, dim=-1)
