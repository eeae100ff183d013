"""The molecular student as a plain network of PyG over all atoms: slow, and beyond doubt."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch_geometric.nn import GINEConv
from torch_geometric.utils import scatter, softmax

from molkd.items.molecules.graph import Graphs
from molkd.students import GineStudent
from molkd.tensors import Features, Nodes


def features(student: GineStudent, graphs: Graphs) -> Features:
    """All that the student should say about graphs that have atoms."""
    shift = np.repeat(graphs.atom_starts[:-1], np.diff(graphs.bond_starts))
    ends = torch.from_numpy(graphs.ends.T + shift)
    edges, bonds = torch.cat([ends, ends.flip(0)], dim=1), torch.from_numpy(graphs.bonds).long()
    owner = torch.from_numpy(np.repeat(np.arange(len(graphs)), graphs.sizes))
    state = student.atom_table(torch.from_numpy(graphs.atoms).long())
    states: list[Tensor] = []
    for block in cast("Any", student.blocks):
        conv = GINEConv(torch.nn.Identity(), train_eps=True)
        conv.nn, conv.eps = block.conv.nn, block.conv.eps
        state = state + conv(block.norm(state), edges, block.bond_table(bonds.repeat(2, 1)))
        states.append(state)
    roots = torch.from_numpy(graphs.sizes).float().sqrt()[:, None]
    means = tuple(scatter(one, owner, reduce="mean") for one in states)
    readout, mean, total = student.config["readout"], means[-1], means[-1] * roots
    parts = {"mean": [mean], "sum": [total], "mean+sum": [mean, total]}
    if readout == "attention":
        share = softmax(cast("Any", student.readout).score(state), owner)
        parts["attention"] = [scatter(share * state, owner), total]
    embedding = student.project(torch.cat(parts[str(readout)], dim=1))
    return Features(embedding, means, Nodes(tuple(states), owner))
