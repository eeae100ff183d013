"""What the teachers around an `AtomBondNetwork` share: embedding, and a state per atom."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch
from rdkit import Chem, rdBase
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from molkd.items.molecules import graph
from molkd.items.molecules.chem import Molecule
from molkd.runtime import devices
from molkd.teachers.base import layers
from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import NetworkTeacher
from molkd.teachers.base.precision import no_tf32
from molkd.teachers.graphs import atom_bond_graph as abg
from molkd.types import Matrix, NodeEmbeddings, TeacherCard

if TYPE_CHECKING:
    from molkd.teachers.graphs.queryable import QueryableGraphNetwork


class AtomBondTeacher(NetworkTeacher):
    """A teacher that pools the states of a molecule's atoms.

    Attributes:
        layer: whose states are pooled, by the mean and without what follows: from 0, the embeddings
            of the atoms, to `abg.LAYERS`; None is the last one and what follows it.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkTeacher._parameter_constraints,  # noqa: SLF001
        "layer": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        layer: int | None = None,
        weights_dir: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        batch_size: int = 128,
        on_invalid: OnInvalid = "error",
    ) -> None:
        super().__init__(
            weights_dir=weights_dir, device=device, batch_size=batch_size, on_invalid=on_invalid
        )
        self.layer = layer

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
            ConfigError: there is no such layer, or the teacher is one of its layers.
            WeightsError: the weights are missing or not the published ones.
        """
        from molkd.teachers.graphs.queryable import QueryableGraphNetwork

        card = self.card
        layers.refuse_queries(self.layer, card.name)
        network = cast("abg.AtomBondNetwork", self._ready())
        return QueryableGraphNetwork(card.name, network, self._read, dim=card.dim, layer=layer)

    def _refuse(self, mol: Chem.Mol) -> str | None:
        return abg.refusal(mol)

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        graph = abg.graph_of(mols).to(device)
        if self.layer is None:
            return cast("Tensor", network(graph))
        return cast("abg.AtomBondNetwork", network).mean(graph, self.layer)

    def _as_layer(self, card: TeacherCard) -> TeacherCard:
        """Returns the card of the network as that of the chosen layer."""
        layers.check(self.layer, abg.LAYERS, card.name)
        return layers.card_of(card, self.layer, abg.WIDTH)

    @torch.inference_mode()
    @no_tf32()
    def _atom_states(self, mols: list[Chem.Mol]) -> Matrix:
        """Returns the atoms' states; shape (atoms of all molecules, `WIDTH`)."""
        if not mols:
            return np.empty((0, abg.WIDTH), dtype=np.float32)
        network = cast("abg.AtomBondNetwork", self._ready())
        device = devices.of(network)
        layer = abg.LAYERS if self.layer is None else self.layer
        parts: list[Matrix] = []
        for start in range(0, len(mols), self.batch_size):
            graph = abg.graph_of(mols[start : start + self.batch_size]).to(device)
            parts.append(network.states(graph, layer).cpu().numpy())
        return np.concatenate(parts)
