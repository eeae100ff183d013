"""The options of DiverseDistill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self

from molkd.deprecated import renamed_fields
from molkd.errors import ConfigError
from molkd.objectives.settings import ObjectiveSettings
from molkd.runtime.settings import validate

Answering = Literal["gate", "attention"]
"""How a teacher answers: by a gate on what it said, or by attention over pieces of it."""

Importance = Literal["leave-one-out", "mixture", "uniform"]
"""What trains the importance of teachers: how well the others' answers predict a teacher, how well
all answers together do, or nothing."""


@renamed_fields(
    anchor="anchor_weight",
    balance="balance_weight",
    budget="skip_fraction",
    detach_question="detach_query",
    direct="direct_weight",
    live="queried",
    own_anchor="own_share",
    question_hidden="query_hidden",
    question_layer="query_layer",
    student="student_weight",
)
@dataclass(frozen=True, kw_only=True)
class DiverseSettings(ObjectiveSettings):
    """DiverseDistill's options.

    Attributes:
        query_layer: the layer whose state asks; None takes the middle one.
        query_hidden: width of queries and of the networks that ask and answer.
        teacher_dim: width of the learnt vector of a teacher.
        answering: how what a teacher said becomes an answer.
        pieces: into which attention cuts what a teacher said.
        importance: what trains the importance of teachers.
        temperature: of the importance.
        student_weight: of the distance between the embedding and the teachers' common answer.
        anchor_weight: of the anchors of the answers.
        own_share: share of a teacher's own answer in its anchor.
        balance_weight: of the penalty on unequal mean importance.
        direct_weight: of the anchor from the embedding to every teacher.
        skip_fraction: share of teachers' answers to do without, those of least importance.
        warmup: share of the training in which none is left out.
        detach_query: whether queries send no gradient to the student.
        queried: teachers that are run during training, with the query in their network.
    """

    name: str = "diverse"
    query_layer: int | None = None
    query_hidden: int = 256
    teacher_dim: int = 64
    answering: Answering = "gate"
    pieces: int = 8
    importance: Importance = "leave-one-out"
    temperature: float = 1.0
    student_weight: float = 1.0
    anchor_weight: float = 1.0
    own_share: float = 0.5
    balance_weight: float = 0.0
    direct_weight: float = 1.0
    skip_fraction: float = 0.0
    warmup: float = 0.1
    detach_query: bool = True
    queried: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = (
            "student_weight",
            "anchor_weight",
            "own_share",
            "balance_weight",
            "direct_weight",
        )
        rules = {
            "query_hidden must be positive": self.query_hidden > 0,
            "teacher_dim must be positive": self.teacher_dim > 0,
            "temperature must be positive": self.temperature > 0,
            "skip_fraction must lie in [0, 1)": 0 <= self.skip_fraction < 1,
            "warmup must lie in [0, 1]": 0 <= self.warmup <= 1,
            **{f"{name} must not be negative": getattr(self, name) >= 0 for name in weights},
        }
        validate(self, rules)
        if self.skip_fraction and self.importance == "uniform":
            raise ConfigError(
                'skip_fraction needs importance = "leave-one-out" or "mixture": with "uniform" all '
                "teachers are equally important"
            )

    @property
    def queried_teachers(self) -> tuple[str, ...]:
        """See `ObjectiveSettings`."""
        return self.queried

    def with_names(self, names: Mapping[str, str]) -> Self:
        """See `ObjectiveSettings`."""
        return replace(self, queried=tuple(names.get(name, name) for name in self.queried))
