"""The shape of the molecular student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from molkd.errors import ConfigError
from molkd.items.molecules import graph
from molkd.runtime.settings import validate

Readout = Literal["mean", "sum", "mean+sum", "attention"]
"""How atom states become one vector; "sum" is divided by the square root of the atom count."""


MOST_LAYERS = 1000
"""Layers above which a configuration is damaged rather than large."""


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
        validate(self, {})
        rules = {
            "hidden must be at least 1": self.hidden >= 1,
            f"layers must lie in [1, {MOST_LAYERS}]": 1 <= self.layers <= MOST_LAYERS,
            "embedding_dim must be at least 1": self.embedding_dim >= 1,
            "dropout must lie in [0, 1)": 0 <= self.dropout < 1,
        }
        validate(self, rules)
        if self.features not in graph.READABLE_VERSIONS:
            raise ConfigError(
                f"this student reads features of version {self.features}, this molkd makes "
                f"version {graph.FEATURES_VERSION}: install the molkd that trained it"
            )
