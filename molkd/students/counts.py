"""The static molecular student: a vector per substructure, their sum, and a small network.

No substructure sees another one before the sum. Source of the idea: hashed counts of substructures
as a linear map reads them, which is what most fingerprints are given to; of the training:
distillation as of any other student.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from molkd.items.molecules.counts import CountedGraphs, Counting
from molkd.items.molecules.graph import Graphs
from molkd.runtime.settings import as_table
from molkd.students.config_counts import CountsConfig
from molkd.students.molecules import MoleculeStudent
from molkd.students.passes import in_order
from molkd.students.projection import Projection
from molkd.tensors import Features, FeatureSpec
from molkd.types import Rows

_BATCH = 2048
"""Molecules per pass where nobody says."""

_USUAL = 100
"""Different substructures of a molecule: their sum has a variance of about 1 at the beginning."""


@dataclass(frozen=True, slots=True)
class CountBatch:
    """The counts of b molecules end to end.

    Attributes:
        columns: shape (c,), of what is there.
        weights: shape (c,), the logarithm of 1 + how often it is.
        offsets: shape (b,), where each molecule begins.
    """

    columns: Tensor
    weights: Tensor
    offsets: Tensor

    @classmethod
    def of(cls, prepared: CountedGraphs) -> Self:
        """Makes tensors of packed counts."""
        return cls(
            torch.from_numpy(prepared.columns.astype(np.int32)),
            torch.from_numpy(np.log1p(prepared.counts, dtype=np.float32)),
            torch.from_numpy(prepared.starts[:-1].astype(np.int32)),
        )

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        fields = (self.columns, self.weights, self.offsets)
        return type(self)(*(field.to(device, non_blocking=True) for field in fields))


class CountsNetwork(nn.Module):
    """A linear map of the logarithms of counts, and a network of one hidden layer behind it.

    What it returns is linear in both: what a linear map of counts can say needs no hidden layer.
    """

    def __init__(self, config: CountsConfig) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(config.columns, config.width, mode="sum")
        nn.init.normal_(self.embedding.weight, std=_USUAL**-0.5)
        self.dropout = config.dropout
        self.norm = nn.LayerNorm(config.width)
        self.update = nn.Linear(config.width, config.hidden)
        self.activate = nn.GELU()
        self.project = Projection(config.width + config.hidden, config.embedding_dim)

    def forward(self, batch: CountBatch) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Returns the embedding, shape (b, embedding_dim), and the states that it is made of."""
        weights = nn.functional.dropout(batch.weights, self.dropout, training=self.training)
        total = self.embedding(batch.columns, batch.offsets, per_sample_weights=weights)
        state = self.activate(self.update(self.norm(total)))
        return self.project(torch.cat([total, state], dim=1)), (total, state)


class CountsStudent(MoleculeStudent[CountedGraphs, CountBatch]):
    """A network of counts of substructures."""

    kind: ClassVar[str] = "counts"

    def __init__(self, config: CountsConfig) -> None:
        super().__init__()
        self._config = config
        self.network = CountsNetwork(config)

    @property
    def config(self) -> Mapping[str, object]:
        """See `CountsConfig`."""
        return as_table(self._config)

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """Builds a network from the fields of `CountsConfig`."""
        return cls(CountsConfig.of(config))

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self._config.embedding_dim

    @property
    def feature_spec(self) -> FeatureSpec:
        """The widths of embedding and layers."""
        return FeatureSpec(self.embedding_dim, (self._config.width, self._config.hidden))

    @property
    def last_layers(self) -> tuple[nn.Linear]:
        """See `Student`."""
        return (self.network.project,)

    def truncate(self, length: int) -> Self:
        """See `Student`."""
        weights = self.network.project.truncate(length)
        state = self.state_dict()
        state |= {f"network.project.{name}": value for name, value in weights.items()}
        return self._like({**self.config, "embedding_dim": length}, state)

    @staticmethod
    def graphs_of(prepared: CountedGraphs) -> Graphs:
        """See `MoleculeStudent`."""
        return prepared.graphs

    @property
    def featurize(self) -> Callable[[Sequence[Any]], CountedGraphs]:
        """What reads molecules."""
        return Counting(self._config.blocks)

    def passes(self, sizes: Rows, batch_size: int | None) -> Iterator[Rows]:
        """In their order: nothing is padded."""
        return in_order(sizes, batch_size or _BATCH, int(sizes.sum()))

    def collate(self, prepared: CountedGraphs) -> CountBatch:
        """Makes tensors of packed counts."""
        return CountBatch.of(prepared)

    def forward(self, batch: CountBatch, *, layers: bool = False, nodes: bool = False) -> Features:  # noqa: ARG002
        """Embeds a batch; shape (b, embedding_dim)."""
        embedding, states = self.network(batch)
        return Features(embedding, states if layers else ())
