"""Densities whose means are as good as those of a regression, for predictions of teachers.

Source: Stirn et al. 2023, "Faithful Heteroscedastic Regression with Neural Networks" (AISTATS;
arXiv 2212.09184). Under a likelihood, errors count less where the predicted standard deviation is
large, so that means of rare values are never learnt. Here means minimise the squared error, and
standard deviations the likelihood around them. Unlike there, both share their hidden layer; a skip
leads to the means alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from molkd.objectives.densities.base import full
from molkd.objectives.mutual_information import MutualInformation


class Faithful(MutualInformation):
    """Mutual information whose normal densities have means by squared error; others are alike."""

    def _skipped(self, head: str) -> int:
        return self.head_specs[head].dim

    def _row_loss(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:
        if self.head_specs[head].support != "real":
            return super()._row_loss(head, outputs, target)
        mean, raw = full(outputs).chunk(2, dim=-1)
        around = super()._row_loss(head, torch.cat([mean.detach(), raw], dim=-1), target)
        return around + (full(target) - mean).square().mean(dim=-1) / 2
