"""What every objective is: a loss between what a student says and what its teachers say.

An objective owns whatever it needs besides the student (heads, densities, queries); all of it is
thrown away after training. It knows no student and no teacher by class. A new objective is a
subclass in a file of its own, and a line in `molkd.objectives` or a name "module:Class".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, cast, get_args

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives.standardizers import Batch, Ema
from molkd.runtime.registry import near
from molkd.tensors import Features, FeatureSpec, Loss, QueryableTeachers, Targets, TargetSpec
from molkd.types import Form, TeacherCard

Scaling = Literal["standardized", "phi-s", "whitened", "ema", "batch", "raw"]
"""How real values of a teacher are brought to a common scale.

`standardized`, `phi-s` and `whitened` use exact statistics of the training rows; `ema` and
`batch` those of the batches seen so far, as UNIC and DUNE do; `raw` leaves the values alone.
"""


STANDARDIZERS = {"ema": Ema, "batch": Batch}
"""The scalings that are learnt along."""


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """What every objective lets its user choose; each objective adds its own options.

    Attributes:
        name: a key of `molkd.objectives.OBJECTIVES`, or "module:Class".
        scaling: how real values of teachers are brought to a common scale.
    """

    name: str = "mi"
    scaling: Scaling = "standardized"

    def __post_init__(self) -> None:
        if self.scaling not in get_args(Scaling):
            raise ConfigError(f"scaling is one of {get_args(Scaling)}, not {self.scaling!r}")

    @classmethod
    def choose(cls, table: Mapping[str, object]) -> type[ObjectiveSettings]:
        """Returns the settings class of the objective that a table names."""
        from molkd.objectives import objective_type

        name = table.get("name", cls.name)
        return objective_type(name).settings_type if isinstance(name, str) else cls


class Objective(nn.Module, ABC):
    """A loss over all teachers.

    Attributes:
        unit: what the parts of the loss are measured in.
        settings_type: the class of its settings.
        reads_layers: whether it reads the student's states after each layer.
        reads_nodes: whether it reads the student's states of the parts of an item.
    """

    unit: ClassVar[str]
    settings_type: ClassVar[type[ObjectiveSettings]] = ObjectiveSettings
    reads_layers: bool = False
    reads_nodes: bool = False

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
        live: QueryableTeachers,  # noqa: ARG003
    ) -> Self:
        """Builds the objective; one that asks live teachers hands `live` on."""
        return cls(features, specs, settings)

    @classmethod
    def check(cls, settings: ObjectiveSettings, teachers: Sequence[str]) -> None:
        """Refuses settings that contradict the teachers' names, before any work is done.

        Raises:
            ConfigError: they do, or a teacher to be asked is not there.
        """
        for name in cls.wants_live(settings):
            if name not in teachers:
                raise ConfigError(
                    f"live: {name!r} is not among the teachers, which are {', '.join(teachers)}."
                    f"{near(name, teachers)}"
                )

    @classmethod
    def wants_nodes(cls, settings: ObjectiveSettings) -> bool:  # noqa: ARG003
        """Whether it reads teachers' states of the parts of an item, where they give some."""
        return False

    @classmethod
    def wants_live(cls, settings: ObjectiveSettings) -> tuple[str, ...]:  # noqa: ARG003
        """The teachers that it asks during training, beside what they said in the bank."""
        return ()

    @classmethod
    def form(cls, settings: ObjectiveSettings, card: TeacherCard) -> Form:  # noqa: ARG003
        """Says in which form the objective reads a teacher's values.

        Raises:
            ConfigError: the settings do not fit the teacher.
        """
        return scaled_form(settings)

    def at(self, share: float) -> None:
        """Hears, before every training step, what share of training is over, in [0, 1)."""
        self._share = share

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
        count; where nothing is present, the loss is a zero that can be differentiated.
        """


def scaled_form(settings: ObjectiveSettings) -> Form:
    """The form of values that are brought to the common scale of the settings."""
    learnt = settings.scaling in {"ema", "batch", "raw"}
    return "raw" if learnt else cast("Form", settings.scaling)


def key(name: str) -> str:
    """A module name for a teacher's name: torch forbids dots, and names like "half" or "type"."""
    return "to " + name.replace("%", "%25").replace(".", "%2E")
