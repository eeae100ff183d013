"""Everything that decides a distillation but the items and the teachers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from molkd import objectives
from molkd.bank import StoreAs
from molkd.distillation.schedule import TrainSettings
from molkd.errors import ConfigError
from molkd.information.densities import EstimatorSettings
from molkd.items import MODALITIES, Modality
from molkd.objectives import MutualInformationSettings, ObjectiveSettings
from molkd.students import GineSettings, StudentSettings

Weights = Literal["equal", "redundancy"]


@dataclass(frozen=True, kw_only=True)
class DistillSettings:
    """Everything that decides a distillation but the items and the teachers.

    Attributes:
        teachers: names of the teachers, for the record and for the command line.
        student: its size and shape.
        objective: what it minimises.
        plan: how it is trained.
        standardize: what is done to the items first.
        split: how validation rows are chosen; duplicates, or scaffolds of molecules, stay on one
            side.
        valid_fraction: share of the rows to validate on.
        bank_dtype: type in which teacher embeddings are stored.
        pca: teacher -> number of principal components that replace its values.
        winsorize: bound on standardised values, in standard deviations; none by default.
        weights: how much teachers count: all alike, or less where others say the same.
        estimate: how it is estimated what the student knows.
        keep_adaptors: whether to fit, on the same rows, what the student predicts of each teacher.
    """

    teachers: tuple[str, ...] = ()
    student: StudentSettings = field(default_factory=GineSettings)
    objective: ObjectiveSettings = field(default_factory=MutualInformationSettings)
    plan: TrainSettings = field(default_factory=TrainSettings)
    standardize: str = "none"
    split: str = "random"
    valid_fraction: float = 0.05
    bank_dtype: StoreAs = "auto"
    pca: Mapping[str, int] = field(default_factory=dict[str, int])
    winsorize: float | None = None
    weights: Weights = "equal"
    estimate: EstimatorSettings = field(default_factory=EstimatorSettings)
    keep_adaptors: bool = False

    def __post_init__(self) -> None:
        modality = self.modality
        for name, value, known in (
            ("split", self.split, tuple(modality.splits)),
            ("standardize", self.standardize, modality.standardizations),
        ):
            if value not in known:
                raise ConfigError(
                    f"{name} is one of {', '.join(known)} for {modality.name}, not {value!r}"
                )
        if self.weights not in get_args(Weights):
            raise ConfigError(f"weights is one of {get_args(Weights)}, not {self.weights!r}")
        if self.winsorize is not None and self.winsorize <= 0:
            raise ConfigError(f"winsorize must be positive, not {self.winsorize}")
        if not 0 < self.valid_fraction < 1:
            raise ConfigError(f"valid_fraction must lie in (0, 1), not {self.valid_fraction}")

    @property
    def modality(self) -> Modality:
        """What the items are: what the student reads."""
        return MODALITIES[self.student.modality]

    def check(self) -> None:
        """Refuses settings for teachers that are not there, before any work is done.

        Raises:
            ConfigError: there are some.
        """
        objectives.objective_type(self.objective.name).check(self.objective, self.teachers)
        for name in self.pca:
            if name not in self.teachers:
                known = ", ".join(self.teachers)
                raise ConfigError(f"pca: {name!r} is not among the teachers, which are {known}")
