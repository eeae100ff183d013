"""What every objective lets its user choose; no torch, so that the command line can read it.

The settings of DiverseDistill are in `molkd.objectives.diverse.settings`; an objective of your own
brings a class of its own along, derived from one of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self, cast

from molkd.deprecated import renamed_fields
from molkd.errors import ConfigError
from molkd.runtime.registry import Registry, check_names
from molkd.runtime.settings import validate
from molkd.types import Form, TeacherCard

if TYPE_CHECKING:  # they load torch
    from molkd.objectives.base import Objective
    from molkd.tensors import FeatureSpec, QueryableTeachers, TargetSpec

Scaling = Literal["standardized", "phi-s", "whitened", "ema", "batch", "raw"]
"""How real values of a teacher are brought to a common scale.

`standardized`, `phi-s` and `whitened` use exact statistics of the training rows; `ema` and
`batch` those of the batches seen so far, as UNIC and DUNE do; `raw` leaves the values alone.
"""

Norm = Literal["hidden", "input", "none"]

Average = Literal["teachers", "pairs", "rows"]

Hardness = Literal["absolute", "relative"]
"""`relative` measures a loss by the mean and spread of its teacher's losses so far, so that a
teacher that nothing can predict is not the hardest of every row."""

OBJECTIVES: Registry[type[Objective]] = Registry("objective", open_to="your own as module:Class")
"""By name; `molkd.objectives` fills it."""


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """What every objective lets its user choose; each objective adds its own options.

    Attributes:
        name: what is minimised: mi, unic, diverse, mse, cosine, or your own as module:Class.
        scaling: how real values of teachers are brought to a common scale.
    """

    table: ClassVar[str] = "objective"

    name: str = "mi"
    scaling: Scaling = "standardized"

    def __post_init__(self) -> None:
        validate(self, {})

    @classmethod
    def choose(cls, table: Mapping[str, object]) -> type[ObjectiveSettings]:
        """Returns the settings class of the objective that a table names."""
        name = table.get("name", cls.name)
        return _class_of(name).settings_type if isinstance(name, str) else cls

    @property
    def objective(self) -> type[Objective]:
        """The objective that they are settings of.

        Raises:
            UnknownNameError: no such objective.
            ConfigError: it has other settings, or what "module:Class" names is no objective.
        """
        kind = _class_of(self.name)
        if not isinstance(self, kind.settings_type):
            raise ConfigError(
                f"objective {self.name!r} is set by {kind.settings_type.__name__}, not "
                f"{type(self).__name__}"
            )
        return kind

    def build(
        self,
        features: FeatureSpec,
        specs: Mapping[str, TargetSpec],
        *,
        queryable: QueryableTeachers | None = None,
    ) -> Objective:
        """Builds the objective for a student's features and the targets of its teachers.

        Args:
            features: widths of what the student says.
            specs: teacher -> form of its targets; their order does not matter.
            queryable: teachers to ask during training, at least those of `queried_teachers`.

        Raises:
            ConfigError: the settings do not fit the objective, the student or the targets.
            UnknownNameError: no such objective.
        """
        return self.objective.build(self, features, specs, queryable or {})

    def form(self, card: TeacherCard) -> Form:
        """Says in which form the objective reads a teacher's values; see `Objective.form`."""
        return self.objective.form(self, card)

    @property
    def scaled_form(self) -> Form:
        """The form of values that are brought to the common scale."""
        learnt = self.scaling in {"ema", "batch", "raw"}
        return "raw" if learnt else cast("Form", self.scaling)

    @property
    def reads_nodes(self) -> bool:
        """Whether teachers' states of the parts of an item are read, where they give some."""
        return False

    @property
    def queried_teachers(self) -> tuple[str, ...]:
        """The teachers that are asked during training, beside what they said in the bank."""
        return ()

    def check_teachers(self, teachers: Sequence[str]) -> None:
        """Refuses settings that contradict the teachers' names, before any work is done.

        Raises:
            ConfigError: they do, or a teacher to be asked is not there.
        """
        check_names("objective.queried", self.queried_teachers, teachers)

    def with_names(self, names: Mapping[str, str]) -> Self:  # noqa: ARG002
        """Returns the settings with other names for teachers: old -> new."""
        return self


def _class_of(name: str) -> type[Objective]:
    kind = OBJECTIVES.resolve(name)
    settings_type = getattr(kind, "settings_type", None)
    if not (isinstance(settings_type, type) and issubclass(settings_type, ObjectiveSettings)):
        raise ConfigError(f"{name} is not a subclass of molkd.objectives.Objective")
    return kind


@dataclass(frozen=True, kw_only=True)
class HeadSettings(ObjectiveSettings):
    """The shape of what predicts a teacher.

    Attributes:
        head_hidden: width of the hidden layers between embedding and one teacher.
        head_layers: number of these hidden layers; 0 makes a head linear.
        head_norm: where a head normalises: its hidden layers, its input, or nowhere.
        head_skip: whether a linear map from the embedding is added to them.
        ladder: 0 predicts from the embedding alone; k also from the last but one layer and every
            k-th one before it.
        rung_hidden: width of the hidden layers between one layer and one teacher.
    """

    head_hidden: int = 384
    head_layers: int = 1
    head_norm: Norm = "hidden"
    head_skip: bool = False
    ladder: int = 0
    rung_hidden: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        least = {"head_hidden": 1, "head_layers": 0, "ladder": 0, "rung_hidden": 1}
        validate(
            self,
            {f"{n} must be at least {low}": getattr(self, n) >= low for n, low in least.items()},
        )

    def rungs(self, features: FeatureSpec) -> tuple[int, ...]:
        """The layers that have a rung; never the last one, whose place the embedding takes.

        Raises:
            ConfigError: a ladder is asked for, and the student shows no layers.
        """
        if not self.ladder:
            return ()
        if not features.layers:
            raise ConfigError(f"ladder={self.ladder} needs a student that shows its layers")
        return tuple(range(len(features.layers) - 2, -1, -self.ladder))[::-1]


@renamed_fields(
    drop="teacher_drop_prob",
    hardness="drop_by",
    prefixes="matryoshka_dims",
    relational="relational_weight",
)
@dataclass(frozen=True, kw_only=True)
class HeadwiseSettings(HeadSettings):
    """What all objectives with a head per teacher let their user choose.

    Attributes:
        average: `teachers` averages over rows and then over teachers; `pairs` over all pairs of
            teacher and row that count; `rows` over a row's teachers and then over rows.
        teacher_drop_prob: probability with which a teacher that is not the hardest of a row does
            not count.
        drop_by: what makes a teacher the hardest: its loss, or its loss beside its usual one.
        matryoshka_dims: lengths to which the embedding can be truncated: 64,128.
        relational_weight: of the relational term, for the embedding and every teacher.
        nodes: whether teachers that give states of an item's parts are distilled there, too; a
            row's loss is then the mean over both.
    """

    average: Average = "teachers"
    teacher_drop_prob: float = 0.0
    drop_by: Hardness = "absolute"
    matryoshka_dims: tuple[int, ...] = ()
    relational_weight: float = 0.0
    nodes: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = {
            "teacher_drop_prob must lie in [0, 1]": 0 <= self.teacher_drop_prob <= 1,
            "relational_weight must not be negative": self.relational_weight >= 0,
        }
        validate(self, rules)

    @property
    def reads_nodes(self) -> bool:
        """See `ObjectiveSettings`."""
        return self.nodes


@renamed_fields()
@dataclass(frozen=True, kw_only=True)
class MutualInformationSettings(HeadwiseSettings):
    """The options of mutual information; see `HeadwiseSettings` for those in common.

    Attributes:
        densities: conditional densities, where not those of the teachers' supports:
            ecfp4=gaussian,rdkit2d=mixture:8.
        smallest_sd: of a Gaussian without a density of its own here, in standard deviations of
            its dimension. Without a bound the few dimensions that a student can copy exactly
            would rule its gradient.
        shared_sd: whether a Gaussian's standard deviations are learnt per dimension alone, the
            same for all rows, instead of predicted for each.
    """

    smallest_sd: float = 0.3
    shared_sd: bool = False
    densities: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        from molkd.objectives import densities

        super().__post_init__()
        densities.make(f"gaussian:{self.smallest_sd}")  # refuses what is out of range

    def check_teachers(self, teachers: Sequence[str]) -> None:
        """Refuses densities of unknown families, and for teachers that are not there."""
        from molkd.objectives import densities

        for density in self.densities.values():
            densities.make(density)
        check_names("objective.densities", self.densities, teachers)

    def with_names(self, names: Mapping[str, str]) -> Self:
        """See `ObjectiveSettings`."""
        return replace(
            self, densities={names.get(name, name): spec for name, spec in self.densities.items()}
        )


@renamed_fields(cosine="cosine_weight")
@dataclass(frozen=True, kw_only=True)
class UnicSettings(HeadwiseSettings):
    """UNIC's options; see `HeadwiseSettings` for those in common.

    Attributes:
        cosine_weight: of the cosine part; smooth L1 has the rest.
    """

    name: str = "unic"
    ladder: int = 1
    teacher_drop_prob: float = 0.5
    average: Average = "pairs"
    head_norm: Norm = "none"
    cosine_weight: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        validate(self, {"cosine_weight must lie in [0, 1]": 0 <= self.cosine_weight <= 1})
