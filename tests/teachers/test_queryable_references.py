"""Answers of live teachers against slow references, and that nobody hears the query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rdkit import Chem
from torch import Tensor, nn

from molkd import teachers
from molkd.teachers.graphs import atom_bond_graph as abg
from molkd.teachers.graphs.queryable import selected
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from tests.teachers import tiny_models
from tests.teachers.queryable_samples import GRAPHS, ITEMS, TRANSFORMERS, query_to


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_a_bert_answers_as_by_hand(tmp_path: Path, pooling: Any) -> None:
    teacher = HuggingFaceTeacher(str(tiny_models.bert(tmp_path / "bert")), pooling=pooling)
    live: Any = teacher.queryable(layer=0)
    query = query_to(live, 2)
    found = live.answer(live.collate(["CCO", "OCC(O)CO"]), query)
    for row, smiles in enumerate(["CCO", "OCC(O)CO"]):
        state, ids = query[row].double(), live.collate([smiles]).ids
        with torch.no_grad():
            hidden = live._model(ids, output_hidden_states=True).hidden_states
        for depth, block in enumerate(live._model.encoder.layer):
            state = _bert_block(block.double(), hidden[depth][0].double(), state)
            block.float()
        np.testing.assert_allclose(found[row].numpy(), state.numpy(), atol=1e-5)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_no_token_sees_the_query(name: str, tmp_path: Path) -> None:
    teacher = HuggingFaceTeacher(str(TRANSFORMERS[name](tmp_path / name)), on_invalid="null")
    live: Any = teacher.queryable(layer=1 if name == "t5" else 0)
    seen: list[Tensor] = []
    hook = live._model.register_forward_hook(
        lambda _module, _args, output: seen.append(output.last_hidden_state.detach())
    )
    batch = live.collate(ITEMS)
    live.answer(batch, None)
    live.answer(batch, 5 * query_to(live))
    hook.remove()
    plain, beside = (states[batch.mask.bool()] for states in seen)
    torch.testing.assert_close(beside, plain, rtol=1e-5, atol=1e-5)


def _bert_block(block: Any, states: Tensor, guest: Tensor) -> Tensor:
    attention, heads = block.attention.self, 4
    with torch.no_grad():
        everyone = torch.cat([states, guest[None]])
        keys, values = attention.key(everyone), attention.value(everyone)
        query = attention.query(guest)
        mixed = []
        for one in range(heads):
            span = slice(one * 8, one * 8 + 8)
            weights = torch.softmax(keys[:, span] @ query[span] / 8**0.5, dim=0)
            mixed.append(weights @ values[:, span])
        middle = block.attention.output
        state = middle.LayerNorm(middle.dense(torch.cat(mixed)) + guest)
        grown = nn.functional.gelu(block.intermediate.dense(state))
        return block.output.LayerNorm(block.output.dense(grown) + state)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_network_answers_as_by_hand(name: str, shared: Path) -> None:
    live: Any = teachers.as_queryable(teachers.make(name, weights_dir=shared / "weights"), layer=3)
    items = ["CC(=O)N", "C", "C[C@H](N)C(=O)O"]
    query = query_to(live, 3)
    found = live.answer(live.collate(items), query)
    network = live._network
    for row, smiles in enumerate(items):
        graph = abg.graph_of([Chem.MolFromSmiles(smiles)])
        state = query[row].double()
        for depth in (3, 4):
            with torch.no_grad():
                atoms = network.between(network.first(graph), graph, 0, depth).double()
                degrees = abg.degrees(graph).double()
                layer, norm = network.gnns[depth].double(), network.batch_norms[depth].double()
                state = norm(_heard(layer, atoms, degrees, state)[None])[0]
                state = state.relu() if depth == 3 else state
                layer.float(), norm.float()
        with torch.no_grad():
            expected = network.double().head(state)
        network.float()
        scale = max(1.0, float(expected.abs().max()))
        np.testing.assert_allclose(found[row] / scale, expected / scale, atol=1e-5)


def _heard(layer: Any, atoms: Tensor, degrees: Tensor, state: Tensor) -> Tensor:
    """What a layer makes of a node that hears all atoms and itself."""
    everyone = torch.cat([atoms, state[None]])
    loop = layer.edge_embedding1.weight[4] + layer.edge_embedding2.weight[0]
    size = len(everyone)
    kind = type(layer).__name__
    if kind == "MolclrLayer":
        return (everyone @ layer.weight + loop).sum(dim=0) + layer.bias
    if kind == "GraphSageLayer":
        mean = (layer.linear(everyone) + loop).mean(dim=0)
        return mean / mean.norm()
    if kind == "GcnLayer":
        scale = 1 / (torch.cat([degrees, degrees.new_tensor([size])]) * size).sqrt()
        return (scale[:, None] * (layer.linear(everyone) + loop)).sum(dim=0)
    heads = []
    projected, loops = layer.weight_linear(everyone).view(size, 2, -1), loop.view(2, -1)
    for head in range(2):
        sent = projected[:, head] + loops[head]
        pairs = torch.cat([projected[-1, head].expand(size, -1), sent], dim=1)
        score = nn.functional.leaky_relu(pairs @ layer.att[0, head], 0.2)
        heads.append(torch.softmax(score, dim=0) @ sent)
    return torch.stack(heads).mean(dim=0) + layer.bias


def test_selected_graphs_are_those_of_the_molecules() -> None:
    smiles = ["CCO", "C", r"F/C=C\Cl", "c1ccccc1", "[Na+].[Cl-]"]
    whole = abg.graph_of([Chem.MolFromSmiles(text) for text in smiles])
    for picked in ([4, 0, 2], [1], [], [3, 3], [0, 1, 2, 3, 4]):
        part = selected(whole, torch.tensor(picked, dtype=torch.long))
        alone = abg.graph_of([Chem.MolFromSmiles(smiles[place]) for place in picked])
        for name in ("atoms", "chirality", "edges", "bonds", "molecule"):
            assert torch.equal(getattr(part, name), getattr(alone, name)), name
        assert part.size == alone.size
