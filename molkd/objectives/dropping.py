"""Teacher dropping: of each row's teachers the hardest always counts, the others by chance.

Source: Sariyildiz et al. 2024, "UNIC" (ECCV; arXiv 2408.05088). Differs from the authors' code:
nothing is dropped in evaluation, chance comes from torch's generator (so that a resumed run draws
the same), missing teachers are never the hardest, and hardness may be relative to what is usual.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from molkd.objectives.settings import Hardness

_MEMORY = 0.99
_PATIENCE = 200
_TOO_OFTEN = 0.9


def kept(losses: Tensor, present: Tensor, uniforms: Tensor, probability: float) -> Tensor:
    """Decides which teachers count for which rows.

    Args:
        losses: shape (teachers, b).
        present: shape (teachers, b), bool.
        uniforms: shape (teachers, b), drawn from [0, 1).
        probability: of dropping a teacher that is not the hardest of a row.

    Returns:
        Shape (teachers, b), bool: the hardest of the present teachers, and those of the others
        whose draw is at least the probability.
    """
    hardest = torch.where(present, losses, -torch.inf).argmax(dim=0, keepdim=True)
    counts = uniforms >= probability
    return present & counts.scatter(0, hardest, value=True)


class TeacherDropping(nn.Module):
    """Drops teachers while training, and watches which of them is the hardest.

    Attributes:
        hardest: shape (teachers,), running share of rows for which a teacher is the hardest.
    """

    hardest: Tensor
    mean: Tensor
    square: Tensor
    steps: Tensor

    def __init__(self, teachers: list[str], probability: float, hardness: Hardness) -> None:
        super().__init__()
        self._teachers, self._probability, self._relative = (
            teachers,
            probability,
            hardness == "relative",
        )
        self._warned = False
        for name in ("hardest", "mean", "square"):
            self.register_buffer(name, torch.zeros(len(teachers)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, losses: Tensor, present: Tensor) -> Tensor:
        """Which teachers count for which rows; all that are present where nothing is trained.

        Args:
            losses: shape (teachers, b), float32.
            present: shape (teachers, b), bool.

        Returns:
            Shape (teachers, b), bool.
        """
        if not self.training:
            return present
        hardness = self._relative_to_usual(losses, present) if self._relative else losses
        self._watch(hardness, present)
        if not self._probability:
            return present
        uniforms = torch.rand(losses.shape, device=losses.device)
        return kept(hardness, present, uniforms, self._probability)

    def _relative_to_usual(self, losses: Tensor, present: Tensor) -> Tensor:
        count = present.sum(dim=1)
        masked = torch.where(present, losses, 0.0)
        fresh = torch.where(self.square == 0, 1.0, 1 - _MEMORY)  # 1: never seen before
        fresh = torch.where(count > 0, fresh, 0.0)
        for running, power in ((self.mean, 1), (self.square, 2)):
            running.lerp_(masked.pow(power).sum(dim=1) / count.clamp(min=1), fresh)
        spread = (self.square - self.mean.square()).clamp(min=1e-12).sqrt()
        return (losses - self.mean[:, None]) / spread[:, None]

    def _watch(self, hardness: Tensor, present: Tensor) -> None:
        rows = present.any(dim=0)
        hardest = torch.where(present, hardness, -torch.inf).argmax(dim=0)[rows]
        if not len(hardest):
            return
        share = torch.bincount(hardest, minlength=len(self._teachers)) / len(hardest)
        self.hardest.lerp_(share.to(self.hardest.dtype), 1.0 if self.steps == 0 else 1 - _MEMORY)
        self.steps += 1
        if not self._probability or self._warned or len(self._teachers) == 1:
            return
        if self.steps % _PATIENCE == 0:
            worst = int(self.hardest.argmax())
            if self.hardest[worst] > _TOO_OFTEN:
                self._warned = True
                warnings.warn(
                    f"teacher {self._teachers[worst]!r} is the hardest for "
                    f"{self.hardest[worst]:.0%} of the items and crowds the others out: is it "
                    'noise? Leave it out, or set drop_by = "relative"',
                    stacklevel=2,
                )
