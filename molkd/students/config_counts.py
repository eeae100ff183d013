"""The shapes of the molecular students that read counts of substructures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from molkd.errors import ConfigError
from molkd.items.molecules import counts, graph
from molkd.runtime.settings import validate
from molkd.students.config_gine import GineConfig

Block = Literal["circular", "pairs", "torsions", "stereo"]
"""A kind of substructures, see `molkd.items.molecules.substructures`."""


@dataclass(frozen=True, kw_only=True)
class CountsConfig:
    """The shape of a network that reads counts of substructures.

    Attributes:
        blocks: kinds of substructures.
        width: of the vectors of substructures.
        hidden: of the network behind their sum.
        embedding_dim: width of the embedding.
        dropout: share of a molecule's substructures that are left out in training, in [0, 1).
        counting: version of the hashes.
        features: version of the atom and bond features that are hashed.
    """

    table: ClassVar[str] = "student"

    blocks: tuple[Block, ...] = ("circular", "pairs", "torsions", "stereo")
    width: int = 512
    hidden: int = 512
    embedding_dim: int = 512
    dropout: float = 0.0
    counting: int = counts.COUNTS_VERSION
    features: int = graph.FEATURES_VERSION

    def __post_init__(self) -> None:
        validate(self, {})
        sizes = ("width", "hidden", "embedding_dim")
        validate(self, {f"{name} must be at least 1": getattr(self, name) >= 1 for name in sizes})
        validate(self, {"dropout must lie in [0, 1)": 0 <= self.dropout < 1})
        if not self.blocks or len(set(self.blocks)) < len(self.blocks):
            raise ConfigError("student.blocks must name at least one block, and none twice")
        for what, mine, here in (
            ("substructures hashed", self.counting, counts.COUNTS_VERSION),
            ("features", self.features, graph.FEATURES_VERSION),
        ):
            if mine != here:
                raise ConfigError(
                    f"this student reads {what} in version {mine}, this molkd makes version "
                    f"{here}: install the molkd that trained it"
                )

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Builds it from a table, as JSON has it."""
        table: dict[str, Any] = {**config, "blocks": tuple(config["blocks"])}
        return cls(**table)

    @property
    def columns(self) -> int:
        """How many columns the blocks have."""
        return sum(counts.WIDTHS[block] for block in self.blocks)


@dataclass(frozen=True, kw_only=True)
class HybridConfig:
    """The shape of a student that reads graphs and counts; both parts make the same embedding.

    Attributes:
        graph: the part that reads graphs.
        counts: the part that reads counts.
    """

    graph: GineConfig = field(default_factory=GineConfig)
    counts: CountsConfig = field(default_factory=CountsConfig)

    def __post_init__(self) -> None:
        if self.graph.embedding_dim != self.counts.embedding_dim:
            raise ConfigError(
                f"the parts of a hybrid student have embeddings of {self.graph.embedding_dim} and "
                f"{self.counts.embedding_dim} dimensions; they are added up"
            )

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Builds it from nested tables, as JSON has them."""
        return cls(graph=GineConfig(**config["graph"]), counts=CountsConfig.of(config["counts"]))
