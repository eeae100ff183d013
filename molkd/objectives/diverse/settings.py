"""The options of DiverseDistill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from molkd.errors import ConfigError
from molkd.objectives.base import ObjectiveSettings
from molkd.objectives.diverse.answers import Answering

Importance = Literal["leave-one-out", "mixture", "uniform"]
"""What trains the importance of teachers: how well the others' answers predict a teacher, how well
all answers together do, or nothing."""


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
        student: weight of the distance between the embedding and the teachers' common answer.
        anchor: weight of the anchors of the answers.
        own_anchor: share of a teacher's own answer in its anchor.
        balance: weight of the penalty on unequal mean importance.
        direct: weight of the anchor from the embedding to every teacher.
        budget: share of teachers' answers to do without, those of least importance.
        warmup: share of the training in which none is left out.
        detach_query: whether queries send no gradient to the student.
        live: teachers that are run during training, with the query in their network.
    """

    name: str = "diverse"
    query_layer: int | None = None
    query_hidden: int = 256
    teacher_dim: int = 64
    answering: Answering = "gate"
    pieces: int = 8
    importance: Importance = "leave-one-out"
    temperature: float = 1.0
    student: float = 1.0
    anchor: float = 1.0
    own_anchor: float = 0.5
    balance: float = 0.0
    direct: float = 1.0
    budget: float = 0.0
    warmup: float = 0.1
    detach_query: bool = True
    live: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        checks = {
            f"answering is one of {get_args(Answering)}": self.answering in get_args(Answering),
            f"importance is one of {get_args(Importance)}": self.importance in get_args(Importance),
            "query_hidden must be positive": self.query_hidden > 0,
            "teacher_dim must be positive": self.teacher_dim > 0,
            "temperature must be positive": self.temperature > 0,
            "budget must lie in [0, 1)": 0 <= self.budget < 1,
            "warmup must lie in [0, 1]": 0 <= self.warmup <= 1,
        }
        weights = ("student", "anchor", "own_anchor", "balance", "direct")
        checks |= {f"{name} must not be negative": getattr(self, name) >= 0 for name in weights}
        for rule, holds in checks.items():
            if not holds:
                raise ConfigError(f"objective: {rule}, not {getattr(self, rule.split()[0])!r}")
        if self.budget and self.importance == "uniform":
            raise ConfigError(
                'budget needs importance = "leave-one-out" or "mixture": with "uniform" all '
                "teachers are equally important"
            )
