"""The molecular student: message passing over rich atom and bond features (GINE).

Source: Hu et al. 2020, "Strategies for Pre-training Graph Neural Networks" (arXiv 1905.12265),
for the convolution; here with pre-normalised residual blocks, one bond table per layer, and a
readout that keeps the molecule's size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from torch import nn

from molkd.errors import ConfigError
from molkd.items.molecules import graph, versions
from molkd.items.molecules.graph import Graphs
from molkd.students import neighbourhoods
from molkd.students.config_gine import GineConfig
from molkd.students.gine_layers import READOUTS, Block, CodeTable, GraphBatch
from molkd.students.molecules import MoleculeStudent
from molkd.students.passes import in_order
from molkd.tensors import Features, FeatureSpec, Nodes
from molkd.types import Rows

_BATCH = 2048
"""Molecules per pass where nobody says."""

_USUAL_SIZE = 40
"""Atoms of a molecule on which `batch_size` reckons."""


class GineStudent(MoleculeStudent[Graphs, GraphBatch]):
    """A GINE network from molecular graphs to embeddings."""

    kind: ClassVar[str] = "gine"

    def __init__(self, config: GineConfig) -> None:
        super().__init__()
        self._config = config
        self.atom_table = CodeTable(graph.ATOM_SIZES, config.hidden)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.readout = READOUTS[config.readout](config.hidden)
        width = self.readout.width
        self.project = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.embedding_dim))

    @property
    def config(self) -> Mapping[str, object]:
        """See `GineConfig`."""
        return asdict(self._config)

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """Builds a network from the fields of `GineConfig`."""
        return cls(GineConfig(**config))

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self._config.embedding_dim

    @property
    def feature_spec(self) -> FeatureSpec:
        """The widths of embedding and layers."""
        return FeatureSpec(self.embedding_dim, (self._config.hidden,) * self._config.layers)

    @property
    def last_layers(self) -> tuple[nn.Linear]:
        """See `Student`."""
        return (cast("nn.Linear", self.project[1]),)

    def truncate(self, length: int) -> Self:
        """See `Student`."""
        if not 0 < length < self.embedding_dim:
            raise ConfigError(
                f"an embedding of {self.embedding_dim} dimensions cannot be truncated to {length}"
            )
        state = dict(self.state_dict())
        for name in ("project.1.weight", "project.1.bias"):
            state[name] = state[name][:length].clone()
        return self._like(asdict(replace(self._config, embedding_dim=length)), state)

    def reading_here(self) -> Mapping[str, str]:
        """RDKit's version, and digests of what it computes of a few molecules."""
        return versions.reading(self._config.features)

    @staticmethod
    def graphs_of(prepared: Graphs) -> Graphs:
        """See `MoleculeStudent`."""
        return prepared

    @property
    def featurize(self) -> Callable[[Sequence[Any]], Graphs]:
        """What reads molecules: pickled by its own name, it reaches worker processes alone."""
        return graph.featurizer(self._config.features)

    def passes(self, sizes: Rows, batch_size: int | None) -> Iterator[Rows]:
        """As many as share most neighbourhoods in little memory; large molecules count for more."""
        count = batch_size or _BATCH
        return in_order(sizes, count, count * _USUAL_SIZE)

    def collate(self, prepared: Graphs) -> GraphBatch:
        """Makes tensors of packed graphs."""
        config, sizes = self._config, prepared.sizes
        return GraphBatch(
            neighbourhoods.of(prepared, config.layers, merged=not config.dropout),
            torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)),
            torch.from_numpy(prepared.atom_starts[:-1].astype(np.int32)),
            torch.from_numpy(np.maximum(sizes, 1)),
        )

    def forward(self, batch: GraphBatch, *, layers: bool = False, nodes: bool = False) -> Features:
        """Embeds a batch.

        Returns:
            Embedding of shape (b, embedding_dim); with `layers`, also the mean atom state after
            each layer, shape (b, hidden) each; with `nodes`, the atom states, (a, hidden) each.
        """
        distinct = batch.distinct
        states = [self.atom_table(distinct.atoms)]
        *blocks, last = (cast("Block", block) for block in self.blocks)
        for block, step in zip(blocks, distinct.rounds, strict=False):
            states.append(block(states[-1], distinct.bonds, step).states)
        update = last(states[-1], distinct.bonds, distinct.rounds[-1])
        embedding = self.project(self.readout(update, batch))
        if not (layers or nodes):
            return Features(embedding)
        members = [step.members for step in distinct.rounds]
        after = list(zip([*states[1:], update.states], members, strict=True))
        pooled = tuple(batch.mean(*one) for one in after) if layers else ()
        atoms = tuple(state.index_select(0, kinds) for state, kinds in after) if nodes else ()
        return Features(embedding, pooled, Nodes(atoms, batch.owner) if nodes else None)
