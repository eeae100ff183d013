"""Everything that decides a distillation but the items and the teachers; no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from molkd.deprecated import renamed_fields
from molkd.distillation.schedule import TrainSettings
from molkd.errors import ConfigError
from molkd.information.settings import AdaptorSettings, EstimatorSettings
from molkd.items import MODALITIES, Modality
from molkd.objectives.settings import MutualInformationSettings, ObjectiveSettings
from molkd.runtime.registry import check_names, near
from molkd.runtime.settings import validate
from molkd.students.settings import StudentSettings
from molkd.students.settings_gine import GineSettings
from molkd.types import StoreAs

Weights = Literal["equal", "redundancy"]

Basis = Literal["own", "teachers"]

WeightsDtype = Literal["fp32", "fp16"]


@renamed_fields(plan="train")
@dataclass(frozen=True, kw_only=True)
class DistillSettings:
    """Everything that decides a distillation but the items and the teachers.

    Attributes:
        teachers: names of the teachers; 'molkd teachers list' shows all.
        student: its size and shape.
        objective: what it minimises.
        train: how it is trained.
        standardize: what is done to molecules first: none, light or full.
        split: how validation rows are chosen: random or scaffold; duplicates stay on one side.
        valid_fraction: share of the rows to validate on.
        bank_dtype: type in which teacher embeddings are stored: auto, fp16 or fp32.
        pca: number of principal components that replace a teacher's values: ecfp4=256,...
        joint_pca: number of principal components over all teachers side by side, which become the
            one target in their place; none by default.
        winsorize: bound on standardised values, in standard deviations; none by default.
        weights: how much teachers count: all alike, or less where others say the same.
        weights_dtype: type in which the weights of the student and of its adaptors are stored, and
            to which they are rounded before anything is said about it: fp32 or fp16.
        basis: what is done to the embedding after training: own leaves it as it came out; teachers
            makes distances those of the teachers, as far as the student knows them, and all
            dimensions alike; beside matryoshka_dims the first ones are longest, and alike up to
            each of these lengths.
        estimate: how it is estimated what the student knows.
        keep_adaptors: keep what predicts teachers from the embedding, of those that are named, or
            of all.
        adaptors: how these are fitted.
    """

    teachers: tuple[str, ...] = ()
    student: StudentSettings = field(default_factory=GineSettings)
    objective: ObjectiveSettings = field(default_factory=MutualInformationSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    standardize: str = "none"
    split: str = "random"
    valid_fraction: float = 0.05
    bank_dtype: StoreAs = "auto"
    pca: Mapping[str, int] = field(default_factory=dict[str, int])
    joint_pca: int | None = None
    winsorize: float | None = None
    weights: Weights = "equal"
    weights_dtype: WeightsDtype = "fp32"
    basis: Basis = "own"
    estimate: EstimatorSettings = field(default_factory=EstimatorSettings)
    keep_adaptors: tuple[str, ...] | bool = False
    adaptors: AdaptorSettings = field(default_factory=AdaptorSettings)

    def __post_init__(self) -> None:
        validate(self, {})
        modality = self.modality
        for name, value, known in (
            ("split", self.split, tuple(modality.splits)),
            ("standardize", self.standardize, modality.standardizations),
        ):
            if value not in known:
                raise ConfigError(
                    f"{name}: expected one of {', '.join(known)} for {modality.name}, got "
                    f"{value!r}.{near(value, known)}"
                )
        double = sorted({name for name in self.teachers if self.teachers.count(name) > 1})
        if double:
            raise ConfigError(f"teachers named more than once: {', '.join(double)}")
        rules = {
            "winsorize must be positive": self.winsorize is None or self.winsorize > 0,
            "valid_fraction must lie in (0, 1)": 0 < self.valid_fraction < 1,
            "joint_pca must be at least 1": self.joint_pca is None or self.joint_pca >= 1,
        }
        validate(self, rules)
        self._refuse_beside_joint_pca()

    def _refuse_beside_joint_pca(self) -> None:
        """Refuses what asks for teachers one by one, where they are one target."""
        others = {
            "pca": bool(self.pca),
            "winsorize": self.winsorize is not None,
            "weights": self.weights != "equal",
            "objective.nodes": self.objective.reads_nodes,
            "objective.densities": bool(getattr(self.objective, "densities", None)),
            f"objective {self.objective.name}": bool(self.objective.queried_teachers),
        }
        asked = [name for name, there in others.items() if there]
        if self.joint_pca is not None and asked:
            raise ConfigError(
                f"joint_pca makes one target of all teachers, but {' and '.join(asked)} asks for "
                "them one by one: leave one of both out"
            )

    @property
    def prefixes(self) -> tuple[int, ...]:
        """The lengths to which the embedding can be truncated, as far as any are asked for."""
        return getattr(self.objective, "matryoshka_dims", ())

    @property
    def modality(self) -> Modality:
        """What the items are: what the student reads."""
        return MODALITIES[self.student.modality]

    def check(self) -> None:
        """Refuses settings for teachers that are not there, before any work is done.

        Raises:
            ConfigError: there are some.
        """
        self.objective.check_teachers(self.teachers)
        check_names("pca", self.pca, self.teachers)
        check_names("keep_adaptors", self.adapted, self.teachers)

    @property
    def adapted(self) -> tuple[str, ...]:
        """The teachers whose adaptors are kept."""
        if isinstance(self.keep_adaptors, bool):
            return self.teachers if self.keep_adaptors else ()
        return tuple(dict.fromkeys(self.keep_adaptors))

    def with_names(self, names: Sequence[str]) -> Self:
        """Returns the settings with other names for the teachers, wherever they are named.

        Args:
            names: one per teacher: that of its card, where it was named by a folder, say.
        """
        new = dict(zip(self.teachers, names, strict=True))
        pca = {new.get(name, name): value for name, value in self.pca.items()}
        objective, adaptors = self.objective.with_names(new), self.keep_adaptors
        if not isinstance(adaptors, bool):
            adaptors = tuple(new.get(name, name) for name in adaptors)
        return replace(
            self, teachers=tuple(names), pca=pca, objective=objective, keep_adaptors=adaptors
        )
