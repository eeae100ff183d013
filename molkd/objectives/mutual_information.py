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
from typing import ClassVar

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives import densities
from molkd.objectives.base import Objective, ObjectiveSettings
from molkd.objectives.densities import DEFAULT_DENSITIES, GAUSSIAN_ENTROPY, Density
from molkd.tensors import TargetSpec


class MutualInformation(Objective):
    """Sum over teachers of h(teacher | student), each per unit of the teacher's own information.

    A teacher's nats are divided by its effective width: the number of dimensions for real
    targets; for bits and counts the number of standard normal dimensions with as much entropy as
    their marginals, so that 2,048 rare bits neither drown nor are drowned by 200 descriptors.
    """

    unit: ClassVar[str] = "nats per effective dimension"
    probabilistic: ClassVar[bool] = True

    def __init__(
        self,
        width: int,
        specs: Mapping[str, TargetSpec],
        settings: ObjectiveSettings | None = None,
    ) -> None:
        """Builds one conditional density per teacher.

        Args:
            width: of the student's embedding.
            specs: teacher -> form of its targets.
            settings: shape of the heads, and densities where they are not those of the form.

        Raises:
            ConfigError: a density does not model its teacher's form of targets.
        """
        self.densities = {
            name: _density(name, spec, settings.densities if settings else {})
            for name, spec in specs.items()
        }
        super().__init__(width, specs, settings)
        self.effective_width: dict[str, float] = {}
        for name, spec in self.specs.items():
            density = self.densities[name]
            self.effective_width[name] = float(density.entropy(spec).sum()) / GAUSSIAN_ENTROPY
            final = self._final_layer(name)
            nn.init.normal_(final.weight, std=0.01)
            with torch.no_grad():
                final.bias.copy_(density.start(spec))

    def nats(self, name: str, outputs: Tensor, target: Tensor) -> Tensor:
        """Shape (b,): negative log-likelihood of whole target rows, in nats."""
        return self.densities[name].nll(outputs, target)

    def extra_repr(self) -> str:
        """The densities, so that runs with other densities have other digests."""
        return ", ".join(f"{name}: {self.densities[name]!r}" for name in self.specs)

    def _outputs(self, name: str) -> int:
        return self.densities[name].width(self.specs[name].dim)

    def _row_loss(self, name: str, outputs: Tensor, target: Tensor) -> Tensor:
        return self.nats(name, outputs, target) / self.effective_width[name]


def _density(name: str, spec: TargetSpec, chosen: Mapping[str, str]) -> Density:
    text = chosen.get(name, DEFAULT_DENSITIES[spec.support])
    density = densities.make(text)
    if density.support != spec.support:
        raise ConfigError(
            f"teacher {name!r} has {spec.support} targets, which density {text!r} "
            f"(for {density.support}) does not model"
        )
    return density
