"""Sizes of the molecular students that read counts of substructures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from molkd.students.config_counts import Block, CountsConfig, HybridConfig
from molkd.students.config_gine import GineConfig, Readout
from molkd.students.settings import StudentSettings
from molkd.students.settings_gine import CONFIGS

if TYPE_CHECKING:  # they load torch
    from molkd.students.counts import CountsStudent
    from molkd.students.hybrid import HybridStudent

_COUNTS: Mapping[str, CountsConfig] = {
    "static-molecules": CountsConfig(blocks=("circular", "torsions", "stereo")),
}

_GRAPHS: Mapping[str, str] = {f"hybrid-{size}": size for size in CONFIGS}
"""Size -> that of the part that reads graphs."""

ConfigT = TypeVar("ConfigT", GineConfig, CountsConfig)


@dataclass(frozen=True, kw_only=True)
class CountsSettings(StudentSettings):
    """A static molecular student.

    Attributes:
        blocks: kinds of substructures that it counts: circular, pairs, torsions, stereo; by
            default all but pairs, which cost most.
        width: of the vectors of substructures; by default 512.
        hidden: of the network behind their sum; by default 512.
        embedding_dim: width of the embedding; by default 512.
        dropout: share of a molecule's substructures that are left out in training, in [0, 1); by
            default 0.
    """

    modality: ClassVar[str] = "molecules"

    blocks: tuple[Block, ...] | None = None
    width: int | None = None
    hidden: int | None = None
    embedding_dim: int | None = None
    dropout: float | None = None

    @property
    def config(self) -> CountsConfig:
        """The size with the changes applied."""
        given = {name: getattr(self, name) for name in ("blocks", "width", "hidden", "dropout")}
        return _with(_COUNTS[self.size], **given, embedding_dim=self.embedding_dim)

    def build(self, items: Sequence[Any]) -> CountsStudent:  # noqa: ARG002
        """See `StudentSettings`."""
        from molkd.students.counts import CountsStudent

        return CountsStudent(self.config)


@dataclass(frozen=True, kw_only=True)
class HybridSettings(StudentSettings):
    """A molecular student that reads the graph and counts of substructures.

    Attributes:
        hidden: width of the atom states; by default that of the size: 64, 128 or 256.
        layers: number of message-passing layers; by default that of the size: 3, 4 or 5.
        embedding_dim: width of the embedding; by default that of the size: 128, 256 or 512.
        readout: how atom states become one vector: mean, sum, mean+sum or attention; by default
            mean+sum.
        dropout: of the graph's network, in [0, 1); by default 0.
        blocks: kinds of substructures that it counts: circular, pairs, torsions, stereo; by
            default all but stereo, which it reads from the graph.
        counts_width: of the vectors of substructures; by default that of the embedding.
        counts_hidden: of the network behind their sum; by default that of the embedding.
        counts_dropout: share of a molecule's substructures that are left out in training, in
            [0, 1); by default 0.
    """

    modality: ClassVar[str] = "molecules"

    hidden: int | None = None
    layers: int | None = None
    embedding_dim: int | None = None
    readout: Readout | None = None
    dropout: float | None = None
    blocks: tuple[Block, ...] | None = None
    counts_width: int | None = None
    counts_hidden: int | None = None
    counts_dropout: float = 0.0

    @property
    def config(self) -> HybridConfig:
        """The size with the changes applied."""
        names = ("hidden", "layers", "embedding_dim", "readout", "dropout")
        graph = _with(CONFIGS[_GRAPHS[self.size]], **{name: getattr(self, name) for name in names})
        dim = graph.embedding_dim
        counts = CountsConfig(
            blocks=self.blocks or ("circular", "pairs", "torsions"),
            width=self.counts_width or dim,
            hidden=self.counts_hidden or dim,
            embedding_dim=dim,
            dropout=self.counts_dropout,
        )
        return HybridConfig(graph=graph, counts=counts)

    def build(self, items: Sequence[Any]) -> HybridStudent:  # noqa: ARG002
        """See `StudentSettings`."""
        from molkd.students.hybrid import HybridStudent

        return HybridStudent(self.config)


def _with(config: ConfigT, **changes: Any) -> ConfigT:
    """A configuration with those changes that are not None."""
    return replace(config, **{name: one for name, one in changes.items() if one is not None})
