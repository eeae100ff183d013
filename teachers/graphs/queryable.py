"""Queries to graph networks: a node that hears every atom of its molecule and is heard by none.

It joins before one of the layers, with edges from all atoms and from itself that carry the
embedding of the self-loop, since none of them is a bond. A layer sums, averages or attends over
them as it does over neighbours, so a node of MolCLR, which sums, grows with the molecule. What is
left of a query fades with every layer, in Hu et al.'s GATs to nothing after three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from molkd.teachers.base.queryable import QueryableNetwork, Read, entry_layer, places_of
from molkd.teachers.graphs import atom_bond_graph as abg

ENTRANCE = abg.LAYERS - 2
"""Layer before which a query enters by default: of five, two hear it."""


@dataclass(frozen=True, slots=True)
class GraphBatch:
    """The graphs of b items.

    Attributes:
        graph: of those that are present, in order.
        present: shape (b,), bool.
    """

    graph: abg.AtomBondGraph
    present: Tensor

    def __len__(self) -> int:
        return len(self.present)

    def select(self, rows: Tensor) -> GraphBatch:
        """Returns some items, in the order given."""
        present, places = places_of(self.present, rows)
        return GraphBatch(selected(self.graph, places), present)

    def to(self, device: torch.device) -> GraphBatch:
        """Returns the batch on a device."""
        return GraphBatch(self.graph.to(device), self.present.to(device))


class QueryableGraphNetwork(QueryableNetwork[GraphBatch]):
    """An `AtomBondNetwork` that answers queries."""

    def __init__(
        self,
        name: str,
        network: abg.AtomBondNetwork,
        read: Read,
        *,
        dim: int,
        layer: int | None = None,
    ) -> None:
        """Takes a network that is frozen.

        Args:
            name: of the teacher.
            network: in evaluation mode, without gradients.
            read: reads items.
            dim: width of the embedding.
            layer: before which the query enters, from 0; None is `ENTRANCE`.

        Raises:
            ConfigError: there is no such layer.
        """
        where = entry_layer(ENTRANCE if layer is None else layer, abg.LAYERS, who=name)
        device = next(network.parameters()).device
        super().__init__(name, dim=dim, query_dim=abg.WIDTH, device=device, layer=where)
        self._network = network
        self._read = read

    def collate(self, items: Sequence[str]) -> GraphBatch:
        """Reads items into graphs; see `molkd.tensors.QueryableTeacher`."""
        mols, rows, _ = self._read(items)
        present = torch.zeros(len(items), dtype=torch.bool)
        present[rows] = True
        return GraphBatch(abg.graph_of(mols), present)

    def _embed(self, batch: GraphBatch) -> Tensor:
        return self._network(batch.graph)

    def _ask(self, batch: GraphBatch, query: Tensor) -> Tensor:
        graph = batch.graph
        states = self._network.between(self._network.first(graph), graph, 0, self.layer)
        joined = torch.cat([states, query])
        last = self._network.between(joined, with_queries(graph), self.layer, abg.LAYERS)
        return self._network.head(last[len(graph.atoms) :])


def with_queries(graph: abg.AtomBondGraph) -> abg.AtomBondGraph:
    """Returns a graph with one more node per molecule, after all atoms, that hears them all."""
    atoms = torch.arange(len(graph.atoms), device=graph.atoms.device)
    owners = torch.arange(graph.size, device=graph.atoms.device)
    target = torch.cat([graph.molecule, owners]) + len(atoms)
    source = torch.cat([atoms, owners + len(atoms)])
    order = torch.argsort(target, stable=True)
    edges = torch.stack([target, source])[:, order]
    padding = graph.atoms.new_zeros(graph.size)
    return abg.AtomBondGraph(
        torch.cat([graph.atoms, padding]),
        torch.cat([graph.chirality, padding]),
        torch.cat([graph.edges, edges], dim=1),
        torch.cat([graph.bonds, graph.bonds.new_full((len(target),), abg.SELF_LOOP)]),
        torch.cat([graph.molecule, owners]),
        graph.size,
    )


def selected(graph: abg.AtomBondGraph, molecules: Tensor) -> abg.AtomBondGraph:
    """Returns some molecules of a batch, shape (k,) of positions, in the order given."""
    atoms, sizes = _members(graph.molecule, molecules, graph.size)
    edges, _ = _members(graph.molecule[graph.edges[0]], molecules, graph.size)
    before = graph.molecule.bincount(minlength=graph.size).cumsum(0)
    ends = graph.edges[:, edges]
    owner = torch.arange(len(molecules), device=molecules.device)
    per_edge = graph.molecule[graph.edges[0]].bincount(minlength=graph.size)[molecules]
    shift = (sizes.cumsum(0) - before[molecules]).repeat_interleave(per_edge)
    return abg.AtomBondGraph(
        graph.atoms[atoms],
        graph.chirality[atoms],
        ends + shift,
        graph.bonds[edges],
        owner.repeat_interleave(sizes),
        len(molecules),
    )


def _members(owner: Tensor, groups: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Returns the places of all members of some groups, and how many each group has.

    Args:
        owner: shape (n,), the group of each member, ascending.
        groups: shape (k,).
        size: number of groups.
    """
    counts = owner.bincount(minlength=size)
    starts, taken = (counts.cumsum(0) - counts)[groups], counts[groups]
    shift = starts - (taken.cumsum(0) - taken)
    total = torch.arange(int(taken.sum()), device=owner.device)
    return shift.repeat_interleave(taken) + total, taken
