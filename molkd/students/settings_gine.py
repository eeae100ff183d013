"""The shape of the molecular student, and its sizes by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from molkd.errors import ConfigError
from molkd.items.molecules import graph
from molkd.runtime.settings import validate
from molkd.students.settings import StudentSettings

if TYPE_CHECKING:  # it loads torch
    from molkd.students.gine import GineStudent

Readout = Literal["mean", "sum", "mean+sum", "attention"]
"""How atom states become one vector; "sum" is divided by the square root of the atom count."""


@dataclass(frozen=True, kw_only=True)
class GineConfig:
    """The shape of a GINE student.

    Attributes:
        hidden: width of the atom states.
        layers: number of message-passing layers.
        embedding_dim: width of the embedding.
        readout: how atom states become one vector.
        dropout: probability of dropping a unit of an update while training, in [0, 1).
        features: version of the atom and bond features.
    """

    table: ClassVar[str] = "student"

    hidden: int = 128
    layers: int = 4
    embedding_dim: int = 256
    readout: Readout = "mean+sum"
    dropout: float = 0.0
    features: int = graph.FEATURES_VERSION

    def __post_init__(self) -> None:
        rules = {
            "hidden must be at least 1": self.hidden >= 1,
            "layers must be at least 1": self.layers >= 1,
            "embedding_dim must be at least 1": self.embedding_dim >= 1,
            "dropout must lie in [0, 1)": 0 <= self.dropout < 1,
        }
        validate(self, rules)
        if self.features != graph.FEATURES_VERSION:
            raise ConfigError(
                f"this student reads features of version {self.features}, this molkd makes "
                f"version {graph.FEATURES_VERSION}: install the molkd that trained it"
            )


CONFIGS: Mapping[str, GineConfig] = {
    "tiny": GineConfig(hidden=64, layers=3, embedding_dim=128),
    "small": GineConfig(hidden=128, layers=4, embedding_dim=256),
    "base": GineConfig(hidden=256, layers=5, embedding_dim=512),
}


@dataclass(frozen=True, kw_only=True)
class GineSettings(StudentSettings):
    """A molecular student: tiny, small or base.

    Attributes:
        hidden: width of the atom states.
        layers: number of message-passing layers.
        embedding_dim: width of the embedding.
        readout: how atom states become one vector: mean, sum, mean+sum or attention.
        dropout: in [0, 1).
    """

    modality: ClassVar[str] = "molecules"

    hidden: int | None = None
    layers: int | None = None
    embedding_dim: int | None = None
    readout: Readout | None = None
    dropout: float | None = None

    @property
    def config(self) -> GineConfig:
        """The size with the changes applied."""
        values = {field.name: getattr(self, field.name, None) for field in fields(GineConfig)}
        changes: dict[str, Any] = {
            name: value for name, value in values.items() if value is not None
        }
        return replace(CONFIGS[self.size], **changes)

    def build(self, items: Sequence[Any]) -> GineStudent:  # noqa: ARG002
        """See `StudentSettings`."""
        from molkd.students.gine import GineStudent

        return GineStudent(self.config)
