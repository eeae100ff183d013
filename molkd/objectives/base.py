"""What every objective is: a loss between what a student says and what its teachers say.

An objective owns whatever it needs besides the student (heads, densities, queries); all of it is
thrown away after training. It knows no student and no teacher by class. A new objective is a
subclass in a file of its own, and a line in `molkd.objectives` or a name "module:Class"; what its
user chooses is in `molkd.objectives.settings`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives.settings import ObjectiveSettings
from molkd.objectives.standardizers import STANDARDIZERS
from molkd.runtime import distributed
from molkd.tensors import Features, FeatureSpec, Loss, QueryableTeachers, Targets, TargetSpec
from molkd.types import Form, TeacherCard


class Objective(nn.Module, ABC):
    """A loss over all teachers.

    Attributes:
        unit: what the parts of the loss are measured in.
        settings_type: the class of its settings.
        reads_layers: whether it reads the student's states after each layer.
        reads_nodes: whether it reads the student's states of the parts of an item.
        batch_share: of the rows of a batch that several processes share, those that this one has;
            None where it has all of them.
    """

    unit: ClassVar[str]
    settings_type: ClassVar[type[ObjectiveSettings]] = ObjectiveSettings
    reads_layers: bool = False
    reads_nodes: bool = False
    batch_share: float | None = None

    def __init__(
        self,
        features: FeatureSpec,  # noqa: ARG002
        specs: Mapping[str, TargetSpec],
        settings: ObjectiveSettings | None = None,
    ) -> None:
        """Prepares for a student and its teachers.

        Args:
            features: widths of what the student says.
            specs: teacher -> form of its targets; their order does not matter.
            settings: of `settings_type`.

        Raises:
            ConfigError: there is no teacher, or the settings contradict the student or teachers.
        """
        super().__init__()
        if not specs:
            raise ConfigError("an objective needs at least one teacher")
        self.specs = {name: specs[name] for name in sorted(specs)}
        self.settings = settings or self.settings_type()
        self._share = 0.0
        self.standardizers = nn.ModuleDict(
            {
                key(name): STANDARDIZERS[self.settings.scaling](spec.dim)
                for name, spec in self.specs.items()
                if spec.support == "real" and self.settings.scaling in STANDARDIZERS
            }
        )

    def extra_repr(self) -> str:
        """All options, because what is printed here tells one run from another."""
        return repr(self.settings)

    @classmethod
    def build(
        cls,
        settings: ObjectiveSettings,
        features: FeatureSpec,
        specs: Mapping[str, TargetSpec],
        queryable: QueryableTeachers,  # noqa: ARG003
    ) -> Self:
        """Builds the objective; one that asks teachers hands `queryable` on."""
        return cls(features, specs, settings)

    @classmethod
    def form(cls, settings: ObjectiveSettings, card: TeacherCard) -> Form:  # noqa: ARG003
        """Says in which form the objective reads a teacher's values.

        Raises:
            ConfigError: the settings do not fit the teacher.
        """
        return settings.scaled_form

    def at(self, share: float) -> None:
        """Hears, before every training step, what share of training is over, in [0, 1)."""
        self._share = share

    def over_batch(self, counts: Tensor) -> Tensor:
        """Turns counts of these rows into what they would be if all rows of the batch were alike.

        Losses of processes that share a batch are averaged by their rows. So a mean over some rows
        only, those that a teacher could embed, is that over the whole batch if its sum is divided
        by this. Where one process has the batch, the counts come back as they are.

        Args:
            counts: any shape; the same one in all processes, which all have to ask.
        """
        if self.batch_share is None:
            return counts
        own = counts.float() * (self.batch_share > 0)
        return distributed.total(own) * self.batch_share

    def clean(self, targets: Targets) -> dict[str, Tensor]:
        """Teacher -> shape (b, dim), standardised where that is learnt; missing rows are zero.

        They get no gradient, whoever made them. Masked before any arithmetic: NaN times zero is
        NaN, in values and in gradients.
        """
        values: dict[str, Tensor] = {}
        for name in self.specs:
            present = targets.present[name]
            value = torch.where(present[:, None], targets.values[name].detach(), 0.0)
            if key(name) in self.standardizers:
                value = self.standardizers[key(name)](value, present, self._share)
            values[name] = value
        return values

    @abstractmethod
    def forward(self, features: Features, targets: Targets) -> Loss:
        """Compares a batch with its teachers.

        Rows that a teacher could not embed, and teachers without any row in the batch, do not
        count; where nothing is present, the loss is a zero that can be differentiated. Where
        several processes share a batch, each is given its rows, and the mean of the losses, by
        rows, is minimised; `over_batch` makes it exactly that of the batch.
        """


def key(name: str) -> str:
    """A module name for a teacher's name: torch forbids dots, and names like "half" or "type"."""
    return "to " + name.replace("%", "%25").replace(".", "%2E")
