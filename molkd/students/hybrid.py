"""The molecular student of two readers: a network of graphs and one of counts, added up.

A graph network alone cannot say how often each of thousands of substructures occurs; a network of
counts can, and knows nothing that no substructure shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import nn

from molkd.items.molecules.counts import CountedGraphs, Counting
from molkd.items.molecules.graph import Graphs
from molkd.runtime.settings import as_table
from molkd.students.config_counts import HybridConfig
from molkd.students.counts import CountBatch, CountsNetwork
from molkd.students.gine import GineStudent, GraphBatch
from molkd.students.molecules import MoleculeStudent
from molkd.tensors import Features, FeatureSpec
from molkd.types import Rows


@dataclass(frozen=True, slots=True)
class HybridBatch:
    """b molecules.

    Attributes:
        graphs: what the graph's network reads.
        counts: what the counts' network reads.
    """

    graphs: GraphBatch
    counts: CountBatch

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        return type(self)(self.graphs.to(device), self.counts.to(device))


class HybridStudent(MoleculeStudent[CountedGraphs, HybridBatch]):
    """The sum of a graph's embedding and that of its counts; layers and nodes are the graph's."""

    kind: ClassVar[str] = "hybrid"

    def __init__(self, config: HybridConfig) -> None:
        super().__init__()
        self._config = config
        self.graph = GineStudent(config.graph)
        self.counts = CountsNetwork(config.counts)

    @property
    def config(self) -> Mapping[str, object]:
        """See `HybridConfig`."""
        return as_table(self._config)

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """Builds a network from the fields of `HybridConfig`."""
        return cls(HybridConfig.of(config))

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self._config.graph.embedding_dim

    @property
    def feature_spec(self) -> FeatureSpec:
        """The widths of embedding and layers."""
        return self.graph.feature_spec

    @property
    def last_layers(self) -> tuple[nn.Linear, ...]:
        """See `Student`."""
        return (*self.graph.last_layers, self.counts.project)

    def truncate(self, length: int) -> Self:
        """See `Student`."""
        parts = {
            "graph": self.graph.truncate(length).state_dict(),
            "counts.project": self.counts.project.truncate(length),
        }
        state = self.state_dict()
        for part, weights in parts.items():
            state |= {f"{part}.{name}": value for name, value in weights.items()}
        config = {
            part: {**asdict(one), "embedding_dim": length}
            for part, one in (("graph", self._config.graph), ("counts", self._config.counts))
        }
        return self._like(config, state)

    @staticmethod
    def graphs_of(prepared: CountedGraphs) -> Graphs:
        """See `MoleculeStudent`."""
        return prepared.graphs

    @property
    def featurize(self) -> Callable[[Sequence[Any]], CountedGraphs]:
        """What reads molecules."""
        return Counting(self._config.counts.blocks)

    def passes(self, sizes: Rows, batch_size: int | None) -> Iterator[Rows]:
        """As the graph's network does."""
        return self.graph.passes(sizes, batch_size)

    def collate(self, prepared: CountedGraphs) -> HybridBatch:
        """Makes tensors of packed graphs and counts."""
        return HybridBatch(self.graph.collate(prepared.graphs), CountBatch.of(prepared))

    def forward(self, batch: HybridBatch, *, layers: bool = False, nodes: bool = False) -> Features:
        """Embeds a batch; see `GineStudent`."""
        features = self.graph(batch.graphs, layers=layers, nodes=nodes)
        counted, _ = self.counts(batch.counts)
        return replace(features, embedding=features.embedding + counted)
