"""Maximises the mutual information between the student and each teacher.

I(T; S) = h(T) - h(T | S), and h(T) does not depend on the student, so that it is enough to
minimise the conditional entropy h(T | S). It is bounded from above by the mean negative
log-likelihood of any conditional density q(t | s), learnt together with the student.

Source: Formont et al. 2025, "Learning Task-Agnostic Representations through Multi-Teacher
Distillation" (NeurIPS; arXiv 2510.18680). Differs from the authors' code: one component has no
mixture weight, scales are bounded, targets are standardised by fixed statistics, bits and counts
have densities of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives import densities
from molkd.objectives.base import key
from molkd.objectives.densities import GAUSSIAN_ENTROPY, Density
from molkd.objectives.densities.gaussian import Gaussian
from molkd.objectives.headwise import HeadwiseObjective
from molkd.objectives.ladder import Ladder
from molkd.objectives.settings import MutualInformationSettings, ObjectiveSettings
from molkd.tensors import FeatureSpec, TargetSpec
from molkd.types import Form, TeacherCard


class MutualInformation(HeadwiseObjective):
    """Sum over teachers of h(teacher | student), each per unit of the teacher's own information.

    A teacher's nats are divided by its effective width: the number of dimensions for real
    targets; for bits and counts the number of standard normal dimensions with as much entropy as
    their marginals, so that 2,048 rare bits neither drown nor are drowned by 200 descriptors.
    """

    unit: ClassVar[str] = "nats per effective dimension"
    settings_type: ClassVar[type[ObjectiveSettings]] = MutualInformationSettings
    settings: MutualInformationSettings  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        features: FeatureSpec,
        specs: Mapping[str, TargetSpec],
        settings: ObjectiveSettings | None = None,
    ) -> None:
        """Builds one conditional density per teacher.

        Raises:
            ConfigError: a density does not model its teacher's form of targets.
        """
        self.densities: dict[str, Density] = {}
        self.effective_width: dict[str, float] = {}
        super().__init__(features, specs, settings)
        self.scales = nn.ParameterDict(
            {
                key(head): nn.Parameter(self.densities[head].start(spec)[spec.dim :])
                for head, spec in self.head_specs.items()
                if self._shares(head)
            }
        )

    @classmethod
    def form(cls, settings: ObjectiveSettings, card: TeacherCard) -> Form:
        """Bits and counts are read as they are, unless a density for real values is chosen."""
        chosen = cast("MutualInformationSettings", settings).densities
        density = densities.of(card.name, card.support, chosen)
        return settings.scaled_form if density.support == "real" else "as-is"

    def nats(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:
        """Shape (b,): negative log-likelihood of whole target rows, in nats."""
        return self.densities[head].nll(outputs, target)

    def _head(self, head: str, features: FeatureSpec) -> Ladder:
        ladder = super()._head(head, features)
        start = self.densities[head].start(self.head_specs[head])
        ladder.start_at(start[: self.head_specs[head].dim] if self._shares(head) else start)
        return ladder

    def _shares(self, head: str) -> bool:
        """Whether a head gives means alone, and all rows have the same standard deviations."""
        return self.settings.shared_sd and isinstance(self.densities[head], Gaussian)

    def _outputs(self, head: str) -> int:
        spec = self.head_specs[head]
        chosen = {head: f"gaussian:{self.settings.smallest_sd}"} if spec.support == "real" else {}
        chosen |= self.settings.densities
        density = densities.of(head, spec.support, chosen)
        if density.support != spec.support:
            raise ConfigError(
                f"teacher {head!r} has {spec.support} targets, which density {chosen[head]!r} "
                f"(for {density.support}) does not model"
            )
        self.densities[head] = density
        self.effective_width[head] = float(density.entropy(spec).sum()) / GAUSSIAN_ENTROPY
        return spec.dim if self._shares(head) else density.width(spec.dim)

    def _row_loss(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:
        if self._shares(head):
            scales = self.scales[key(head)].expand(len(outputs), -1)
            outputs = torch.cat([outputs, scales], dim=1)
        return self.nats(head, outputs, target) / self.effective_width[head]
