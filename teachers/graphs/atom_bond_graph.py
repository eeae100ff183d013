r"""Molecular graphs as Hu et al. (2020) read them, and the network around their layers.

An atom is its atomic number and its chirality tag; a bond is its type and its direction, which
RDKit sets from the `/` and `\` of the SMILES, so two spellings of one E/Z isomer may differ.
MolCLR took both over. Source: https://arxiv.org/abs/1905.12265.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing, global_mean_pool

ATOMS = 118
CHIRALITY = {
    Chem.ChiralType.CHI_UNSPECIFIED: 0,
    Chem.ChiralType.CHI_TETRAHEDRAL_CW: 1,
    Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 2,
}
BOND_TYPES = {
    Chem.BondType.SINGLE: 0,
    Chem.BondType.DOUBLE: 1,
    Chem.BondType.TRIPLE: 2,
    Chem.BondType.AROMATIC: 3,
}
DIRECTIONS = {
    Chem.BondDir.NONE: 0,
    Chem.BondDir.ENDUPRIGHT: 1,
    Chem.BondDir.ENDDOWNRIGHT: 2,
}
BOND_CODES = 5 * len(DIRECTIONS)
"""Bond type times direction, the self-loop being the fifth type."""
SELF_LOOP = 4 * len(DIRECTIONS)
LAYERS = 5
WIDTH = 300
LIMITS = (
    "Cannot embed dummy atoms, stereo centres that are not tetrahedral, and bonds other than "
    "single, double, triple and aromatic (dative, zero-order, query). Hydrogens count only where "
    "explicit."
)


@dataclass(frozen=True, slots=True)
class AtomBondGraph:
    """A batch of b molecules with n atoms and e edges; every bond counts twice, every atom once.

    Attributes:
        atoms: shape (n,), atomic number less one.
        chirality: shape (n,), 0 to 2.
        edges: shape (2, e), target over source, sorted by target and then by source.
        bonds: shape (e,), code of type and direction, below `BOND_CODES`.
        molecule: shape (n,), position of the atom's molecule in the batch.
        size: b.
    """

    atoms: Tensor
    chirality: Tensor
    edges: Tensor
    bonds: Tensor
    molecule: Tensor
    size: int

    def to(self, device: torch.device) -> AtomBondGraph:
        """Returns the batch on a device."""
        return AtomBondGraph(
            self.atoms.to(device),
            self.chirality.to(device),
            self.edges.to(device),
            self.bonds.to(device),
            self.molecule.to(device),
            self.size,
        )


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Weighted sums over neighbours, as matrices; an atom is its own neighbour.

    Attributes:
        atoms: sparse, shape (n, h n): atom i takes row h j + k of the states with this weight,
            k being a head of h.
        bonds: shape (n, h `BOND_CODES`): the same for the bonds' embeddings.
    """

    atoms: Tensor
    bonds: Tensor


def neighbourhood(graph: AtomBondGraph, weights: Tensor) -> Neighbourhood:
    """Arranges one weight per edge and head, shape (e, h), as the matrices of a sum."""
    count, heads = len(graph.atoms), weights.shape[1]
    target, source = graph.edges
    head = torch.arange(heads, device=weights.device)
    rows = target[:, None].expand(-1, heads).reshape(-1)
    columns = (source[:, None] * heads + head).reshape(-1)
    atoms = torch.sparse_coo_tensor(
        torch.stack([rows, columns]),
        weights.reshape(-1),
        (count, count * heads),
        check_invariants=False,
        is_coalesced=True,
    )
    codes = (graph.bonds[:, None] * heads + head).reshape(-1)
    bonds = weights.new_zeros(count * BOND_CODES * heads)
    bonds.index_add_(0, rows * (BOND_CODES * heads) + codes, weights.reshape(-1))
    return Neighbourhood(atoms, bonds.view(count, BOND_CODES * heads))


def degrees(graph: AtomBondGraph) -> Tensor:
    """Counts the neighbours of every atom, itself included; shape (n,)."""
    return torch.bincount(graph.edges[0], minlength=len(graph.atoms)).float()


class NeighbourSum(MessagePassing):
    """A weighted sum over neighbours of their state and the embedding of the bond to them.

    Attributes:
        edge_embedding1: embedding of the bond's type.
        edge_embedding2: embedding of its direction.
    """

    def __init__(self, bond_types: int, width: int) -> None:
        """Makes the embeddings.

        Args:
            bond_types: rows of the type embedding in the published weights.
            width: of a bond's embedding.
        """
        super().__init__(aggr="sum")
        self.edge_embedding1 = nn.Embedding(bond_types, width)
        self.edge_embedding2 = nn.Embedding(len(DIRECTIONS), width)

    def bond_table(self) -> Tensor:
        """Returns the embeddings of all bonds; shape (`BOND_CODES`, width)."""
        types = self.edge_embedding1.weight[: BOND_CODES // len(DIRECTIONS)]
        return (types[:, None] + self.edge_embedding2.weight).reshape(BOND_CODES, -1)

    def sum_over(self, near: Neighbourhood, states: Tensor, bonds: Tensor) -> Tensor:
        """Returns the sums.

        Args:
            near: the weights.
            states: shape (h n, width).
            bonds: shape (h `BOND_CODES`, width or 1).

        Returns:
            Shape (n, width).
        """
        from_bonds = (near.bonds @ bonds).expand(-1, states.shape[1])
        return self.propagate(near.atoms, states=states, from_bonds=from_bonds)

    def message_and_aggregate(  # pyright: ignore[reportIncompatibleMethodOverride] - see PyG
        self, edge_index: Tensor, states: Tensor, from_bonds: Tensor
    ) -> Tensor:
        """Sums without laying out one message per edge."""
        return torch.sparse.addmm(from_bonds, edge_index, states)


class AtomBondNetwork(nn.Module):
    """Atom embeddings, five layers with batch normalisation, and the mean over atoms."""

    def __init__(self, layer: Callable[[], nn.Module], *, atom_types: int) -> None:
        """Builds the network around one kind of layer.

        Args:
            layer: makes a module called as `layer(states, graph)`.
            atom_types: rows of the atom embedding in the published weights.
        """
        super().__init__()
        self.x_embedding1 = nn.Embedding(atom_types, WIDTH)
        self.x_embedding2 = nn.Embedding(len(CHIRALITY), WIDTH)
        self.gnns = nn.ModuleList(layer() for _ in range(LAYERS))
        self.batch_norms = nn.ModuleList(nn.BatchNorm1d(WIDTH) for _ in range(LAYERS))

    def forward(self, graph: AtomBondGraph) -> Tensor:
        """Embeds a batch; shape (b, d)."""
        return self.pooled(self.states(graph), graph)

    def pooled(self, states: Tensor, graph: AtomBondGraph) -> Tensor:
        """Embeds molecules by the states of their atoms in the last layer; shape (b, d)."""
        return self.head(global_mean_pool(states, graph.molecule, graph.size))

    def mean(self, graph: AtomBondGraph, layer: int) -> Tensor:
        """Returns the mean over a molecule's atoms after so many layers; shape (b, `WIDTH`)."""
        return global_mean_pool(self.states(graph, layer), graph.molecule, graph.size)

    def head(self, states: Tensor) -> Tensor:
        """Returns what the network makes of the mean state of a molecule; here, nothing more."""
        return states

    def states(self, graph: AtomBondGraph, layer: int = LAYERS) -> Tensor:
        """Returns the atoms' states after so many layers; shape (n, `WIDTH`)."""
        return self.between(self.first(graph), graph, 0, layer)

    def first(self, graph: AtomBondGraph) -> Tensor:
        """Returns the atoms' states before the first layer; shape (n, `WIDTH`)."""
        return self.x_embedding1(graph.atoms) + self.x_embedding2(graph.chirality)

    def between(self, states: Tensor, graph: AtomBondGraph, first: int, last: int) -> Tensor:
        """Returns what the layers from `first` up to `last`, excluded, make of states."""
        for depth in range(first, last):
            states = self.batch_norms[depth](self.gnns[depth](states, graph))
            if depth < LAYERS - 1:
                states = states.relu_()
        return states


def refusal(mol: Chem.Mol) -> str | None:
    """Says which atom or bond has no embedding, or None where all have."""
    for atom in mol.GetAtoms():
        if not 1 <= atom.GetAtomicNum() <= ATOMS:
            return f"atom {atom.GetIdx()} ({atom.GetSymbol()}) is no chemical element"
        if atom.GetChiralTag() not in CHIRALITY:
            return (
                f"atom {atom.GetIdx()} ({atom.GetSymbol()}) has chirality "
                f"{atom.GetChiralTag().name}; only tetrahedral centres have an embedding"
            )
    for bond in mol.GetBonds():
        if bond.GetBondType() not in BOND_TYPES:
            return (
                f"bond between {_ends(bond)} is {bond.GetBondType().name}; only single, double, "
                "triple and aromatic bonds have an embedding"
            )
        if bond.GetBondDir() not in DIRECTIONS:
            return (
                f"bond between {_ends(bond)} has direction {bond.GetBondDir().name}; only those "
                "of / and \\ in a SMILES have an embedding"
            )
    return None


def graph_of(mols: list[Chem.Mol]) -> AtomBondGraph:
    """Reads molecules that `refusal` lets pass."""
    atoms: list[int] = []
    chirality: list[int] = []
    begin: list[int] = []
    end: list[int] = []
    codes: list[int] = []
    for mol in mols:
        offset = len(atoms)
        for atom in mol.GetAtoms():
            atoms.append(atom.GetAtomicNum() - 1)
            chirality.append(CHIRALITY[atom.GetChiralTag()])
        for bond in mol.GetBonds():
            begin.append(bond.GetBeginAtomIdx() + offset)
            end.append(bond.GetEndAtomIdx() + offset)
            kind, direction = BOND_TYPES[bond.GetBondType()], DIRECTIONS[bond.GetBondDir()]
            codes.append(kind * len(DIRECTIONS) + direction)
    loops = list(range(len(atoms)))
    edges = np.array([begin + end + loops, end + begin + loops], dtype=np.int64)
    bonds = np.array(codes + codes + [SELF_LOOP] * len(atoms), dtype=np.int64)
    order = np.lexsort(edges[::-1])
    sizes = [mol.GetNumAtoms() for mol in mols]
    return AtomBondGraph(
        torch.tensor(atoms, dtype=torch.long),
        torch.tensor(chirality, dtype=torch.long),
        torch.from_numpy(edges[:, order]),
        torch.from_numpy(bonds[order]),
        torch.from_numpy(np.repeat(np.arange(len(mols)), np.array(sizes, dtype=np.int64))),
        len(mols),
    )


def _ends(bond: Chem.Bond) -> str:
    atoms = (bond.GetBeginAtom(), bond.GetEndAtom())
    return " and ".join(f"atom {atom.GetIdx()} ({atom.GetSymbol()})" for atom in atoms)
