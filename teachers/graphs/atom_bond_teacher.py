"""What the teachers around an `AtomBondNetwork` share: embedding, and a state per atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from rdkit import Chem, rdBase
from torch import Tensor, nn

from molkd.items.molecules import graph
from molkd.items.molecules.chem import Molecule
from molkd.runtime import devices
from molkd.teachers.base.network import NetworkTeacher
from molkd.teachers.base.precision import no_tf32
from molkd.teachers.graphs import atom_bond_graph as abg
from molkd.types import Matrix, NodeEmbeddings

if TYPE_CHECKING:
    from molkd.teachers.graphs.queryable import QueryableGraphNetwork


class AtomBondTeacher(NetworkTeacher):
    """A teacher that pools the states of a molecule's atoms in the last layer."""

    @property
    def node_dim(self) -> int:
        """Width of an atom's state, before anything that follows the pooling."""
        return abg.WIDTH

    def embed_nodes(self, items: Sequence[Molecule], /) -> NodeEmbeddings:
        """Returns the states that `embed` pools; see `molkd.types.NodeTeacher`.

        They are those of the atoms that a student reads, in its order: deuterium is none of them.
        """
        mols, rows, failures = self._read(items, graph.as_read)
        with rdBase.BlockLogs():
            states = self._atom_states(mols)
        counts = np.zeros(len(items), dtype=np.int64)
        counts[rows] = [mol.GetNumAtoms() for mol in mols]
        finite = np.isfinite(states).all(axis=1)
        owner = np.repeat(np.arange(len(items)), counts)
        spoilt = np.unique(owner[~finite])
        if len(spoilt):
            states = states[~np.isin(owner, spoilt)]
            counts[spoilt] = 0
            reason = "the teacher returned NaN or infinity"
            failures |= dict.fromkeys(spoilt.tolist(), reason)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return NodeEmbeddings(states, starts, dict(sorted(failures.items())))

    def queryable(self, *, layer: int | None = None) -> QueryableGraphNetwork:
        """Returns the teacher as one that answers queries.

        Args:
            layer: before which the query enters, from 0; None is the last but one.

        Raises:
            ConfigError: there is no such layer.
            WeightsError: the weights are missing or not the published ones.
        """
        from molkd.teachers.graphs.queryable import QueryableGraphNetwork

        network = cast("abg.AtomBondNetwork", self._ready())
        card = self.card
        return QueryableGraphNetwork(card.name, network, self._read, dim=card.dim, layer=layer)

    def _refuse(self, mol: Chem.Mol) -> str | None:
        return abg.refusal(mol)

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        return cast("Tensor", network(abg.graph_of(mols).to(device)))

    @torch.inference_mode()
    @no_tf32()
    def _atom_states(self, mols: list[Chem.Mol]) -> Matrix:
        """Returns the atoms' states; shape (atoms of all molecules, `WIDTH`)."""
        if not mols:
            return np.empty((0, abg.WIDTH), dtype=np.float32)
        network = cast("abg.AtomBondNetwork", self._ready())
        device = devices.of(network)
        parts: list[Matrix] = []
        for start in range(0, len(mols), self.batch_size):
            graph = abg.graph_of(mols[start : start + self.batch_size]).to(device)
            parts.append(network.states(graph).cpu().numpy())
        return np.concatenate(parts)
