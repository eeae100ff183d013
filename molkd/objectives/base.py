"""What every objective is: learnt heads from the student's embedding to each teacher, and a loss.

Heads live here and are thrown away after training; no objective knows a student or a teacher by
class. A new objective is a subclass in a file of its own and a line in `molkd.objectives`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.tensors import Features, Loss, Targets, TargetSpec


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """Which objective, and the shape of its heads.

    Attributes:
        name: a key of `molkd.objectives.OBJECTIVES`.
        head_hidden: width of the hidden layers between embedding and one teacher.
        head_layers: number of these hidden layers; 0 makes a head linear.
        densities: teacher -> density, where it is not the one of its support; for objectives that
            model densities.
    """

    name: str = "mi"
    head_hidden: int = 384
    head_layers: int = 1
    densities: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if self.head_hidden < 1 or self.head_layers < 0:
            raise ConfigError(
                "objective: head_hidden must be at least 1 and head_layers at least 0, not "
                f"{self.head_hidden} and {self.head_layers}"
            )


class Objective(nn.Module, ABC):
    """A loss over all teachers, with one head per teacher.

    Attributes:
        unit: what the loss and its parts are measured in.
        probabilistic: whether teachers are modelled by densities, bits and counts as they are;
            other objectives read every teacher standardised.
    """

    unit: ClassVar[str]
    probabilistic: ClassVar[bool] = False

    def __init__(
        self,
        width: int,
        specs: Mapping[str, TargetSpec],
        settings: ObjectiveSettings | None = None,
    ) -> None:
        """Builds the heads.

        Args:
            width: of the student's embedding.
            specs: teacher -> form of its targets; their order does not matter.
            settings: shape of the heads.
        """
        super().__init__()
        if not specs:
            raise ConfigError("an objective needs at least one teacher")
        settings = settings or ObjectiveSettings()
        self.specs = {name: specs[name] for name in sorted(specs)}
        self.heads = nn.ModuleDict(
            {_key(name): _head(width, self._outputs(name), settings) for name in self.specs}
        )

    def forward(self, features: Features, targets: Targets) -> Loss:
        """Compares a batch with its teachers.

        Teachers count equally, whatever their width; rows that a teacher could not embed, and
        teachers without any row in the batch, do not count.

        Returns:
            The mean over teachers of their losses, and these losses one by one.
        """
        parts: dict[str, Tensor] = {}
        total = features.embedding.sum() * 0.0  # keeps a gradient where no teacher is present
        for name, rows in self.row_losses(features, targets).items():
            present = targets.present[name]
            mean = rows.sum() / present.sum().clamp(min=1)
            total = total + mean / len(self.specs)
            parts[name] = torch.where(present.any(), mean.detach(), torch.nan)
        return Loss(total, parts)

    def row_losses(self, features: Features, targets: Targets) -> dict[str, Tensor]:
        """Teacher -> shape (b,), the loss of each row; zero where the teacher is not present."""
        losses: dict[str, Tensor] = {}
        for name in self.specs:
            present = targets.present[name]
            # Masked before any arithmetic: NaN times zero is NaN, in values and in gradients.
            target = torch.where(present[:, None], targets.values[name], 0.0)
            rows = self._row_loss(name, self.predict(name, features), target)
            losses[name] = torch.where(present, rows, 0.0)
        return losses

    def predict(self, name: str, features: Features) -> Tensor:
        """The raw outputs of a teacher's head, shape (b, outputs)."""
        return cast("Tensor", self.heads[_key(name)](features.embedding))

    def _final_layer(self, name: str) -> nn.Linear:
        head = cast("nn.Sequential", self.heads[_key(name)])
        return cast("nn.Linear", head[-1])

    @abstractmethod
    def _outputs(self, name: str) -> int:
        """Number of outputs of a teacher's head."""

    @abstractmethod
    def _row_loss(self, name: str, outputs: Tensor, target: Tensor) -> Tensor:
        """Shape (b,): the loss of each row, from outputs and targets of shape (b, dim)."""


def _head(width: int, outputs: int, settings: ObjectiveSettings) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(settings.head_layers):
        # Normalised after the linear map: before it, the embedding's own length would be lost.
        hidden = settings.head_hidden
        layers += [nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU()]
        width = settings.head_hidden
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def _key(name: str) -> str:
    """A module name for a teacher's name: torch forbids dots, and names like "half" or "type"."""
    return "to " + name.replace("%", "%25").replace(".", "%2E")
