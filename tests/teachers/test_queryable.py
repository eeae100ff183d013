"""Live teachers: frozen, differentiable in the query only, and unchanged when they are done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from molkd import teachers
from molkd.errors import ConfigError, ShapeError
from molkd.teachers.graphs import atom_bond_graph as abg
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from molkd.tensors import QueryableTeacher
from tests.teachers import tiny_models
from tests.teachers.queryable_samples import GRAPHS, ITEMS, PRESENT, TRANSFORMERS, query_to


@pytest.fixture(scope="module", params=[*TRANSFORMERS, *GRAPHS])
def teacher(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    name = request.param
    if name in TRANSFORMERS:
        folder = TRANSFORMERS[name](tmp_path_factory.mktemp("live") / name)
        return HuggingFaceTeacher(str(folder), on_invalid="null")
    return teachers.make(name, weights_dir=request.getfixturevalue("shared") / "weights")


@pytest.fixture
def live(teacher: Any) -> Any:
    made = teachers.as_queryable(teacher)
    assert isinstance(made, QueryableTeacher)
    return made


def distance(found: Tensor, expected: Tensor) -> float:
    """The largest difference, in units of the largest value of the row where that exceeds one."""
    scale = expected.abs().amax(dim=1, keepdim=True).clamp(min=1)
    return float(((found - expected).abs() / scale).max())


def network_of(live: Any) -> nn.Module:
    return live._network if hasattr(live, "_network") else live._model


# == The contract


def test_no_query_gives_the_embedding(teacher: Any, live: QueryableTeacher) -> None:
    batch = live.collate(ITEMS)
    assert batch.present.tolist() == PRESENT
    assert len(batch) == len(ITEMS)
    answers = live.answer(batch, None)
    embedded = teacher.embed(ITEMS)
    assert embedded.valid.tolist() == PRESENT
    assert live.name == teacher.card.name
    assert answers.shape == (len(ITEMS), live.dim) == embedded.values.shape
    assert not answers.requires_grad
    assert distance(answers[batch.present], torch.from_numpy(embedded.values)[PRESENT]) < 1e-6
    assert not answers[~batch.present].any()


def test_only_the_query_gets_a_gradient(live: QueryableTeacher) -> None:
    query = query_to(live).requires_grad_()
    batch = live.collate(ITEMS)
    answers = live.answer(batch, query)
    assert answers.shape == (len(ITEMS), live.dim)
    assert not answers[~batch.present].any()
    answers.sin().sum().backward()
    assert query.grad is not None
    moved = query.grad.abs().sum(dim=1) > 0
    assert moved.tolist() == PRESENT
    network = network_of(live)
    assert not network.training
    assert not any(one.requires_grad or one.grad is not None for one in network.parameters())


def test_gradients_are_those_of_finite_differences(live: QueryableTeacher) -> None:
    network, batch = network_of(live).double(), live.collate(["CCO", "CC(=O)N"])
    # T5 normalises in float32 whatever it is given.
    step, limit = (1e-3, 2e-3) if "t5" in live.name else (1e-6, 1e-4)
    generator = torch.Generator().manual_seed(1)
    try:
        with pytest.MonkeyPatch.context() as patch:  # in float64 throughout
            patch.setattr(Tensor, "float", lambda tensor: tensor.double())
            patch.setattr(torch, "zeros", _wide(torch.zeros))
            query = query_to(live, 2).double().requires_grad_()
            weights = torch.randn(2, live.dim, generator=generator).double()
            (live.answer(batch, query) * weights).sum().backward()
            assert query.grad is not None
            way = torch.randn(query.shape, generator=generator).double()
            with torch.no_grad():
                ends = [
                    (live.answer(batch, query + side * way) * weights).sum()
                    for side in (step, -step)
                ]
    finally:
        network.float()
    expected = float(ends[0] - ends[1]) / (2 * step)
    assert float((query.grad * way).sum()) == pytest.approx(expected, rel=limit)


def _wide(make: Any) -> Any:
    return lambda *shape, **options: make(*shape, **{"dtype": torch.float64, **options})


def test_the_answer_depends_on_query_and_molecule(live: QueryableTeacher) -> None:
    batch = live.collate(["CCO", "OCC(O)CO"])
    query = query_to(live, 1).expand(2, -1)
    first = live.answer(batch, query)
    other = live.answer(batch, query_to(live, 1, seed=1).expand(2, -1))
    assert (first - other).abs().amax(dim=1).min() > 1e-3
    assert (first[0] - first[1]).abs().max() > 1e-3
    assert (first - live.answer(batch, None)).abs().amax(dim=1).min() > 1e-3


def test_a_part_of_a_batch_gets_the_answers_of_the_whole(live: QueryableTeacher) -> None:
    batch, query = live.collate(ITEMS), query_to(live)
    whole = live.answer(batch, query)
    plain = live.answer(batch, None)
    for rows in ([5, 0, 1, 3], [3], [4, 1], [], [2, 2, 6]):
        picked = torch.tensor(rows, dtype=torch.long)
        part = batch.select(picked)
        assert part.present.tolist() == [PRESENT[row] for row in rows]
        assert live.answer(part, query[picked]).shape == (len(rows), live.dim)
        if rows:
            assert distance(live.answer(part, query[picked]), whole[picked]) < 1e-5
            assert distance(live.answer(part, None), plain[picked]) < 1e-5
        again = part.select(torch.arange(len(rows)).flip(0))
        assert again.present.tolist() == part.present.tolist()[::-1]


def test_only_molecules_that_were_run_are_counted(live: QueryableTeacher) -> None:
    batch, query = live.collate(ITEMS), query_to(live)
    assert live.forwards == 0
    live.answer(batch, query)
    assert live.forwards == sum(PRESENT)
    live.answer(batch.select(torch.tensor([0, 1])), query[:2])
    live.answer(batch.select(torch.tensor([1, 4])), None)
    assert live.forwards == sum(PRESENT) + 1


def test_the_teacher_is_as_it_was(teacher: Any, live: QueryableTeacher) -> None:
    network = network_of(live)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    values, digest = teacher.embed(ITEMS).values, teacher.card.digest
    query = query_to(live).requires_grad_()
    live.answer(live.collate(ITEMS), query).sum().backward()
    np.testing.assert_array_equal(teacher.embed(ITEMS).values, values)
    assert teacher.card.digest == digest
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert _hooks(network) == 0


def test_hooks_are_gone_after_an_error(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = live.collate(["CCO"])
    before = live.answer(batch, None)
    network = network_of(live)
    parts = live._blocks[-1] if hasattr(live, "_blocks") else network.batch_norms
    with monkeypatch.context() as patch:
        patch.setattr(list(parts.modules())[-1], "forward", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            live.answer(batch, query_to(live, 1))
    assert _hooks(network) == 0
    assert torch.equal(live.answer(batch, None), before)


def _hooks(network: nn.Module) -> int:
    return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in network.modules())


def test_every_layer_can_be_entered_and_no_other(teacher: Any, live: Any) -> None:
    graph = hasattr(live, "_network")
    count = abg.LAYERS if graph else 2
    lowest = 1 if "t5" in live.name else 0
    assert live.layer == (3 if graph else 1)
    answers = []
    for layer in range(lowest, count):
        other = teachers.as_queryable(teacher, layer=layer)
        answers.append(other.answer(other.collate(["CCO"]), query_to(live, 1)))
    stacked = torch.cat(answers)
    assert len(torch.unique(stacked, dim=0)) == len(stacked)
    for layer in (lowest - 1, count):
        with pytest.raises(ConfigError, match=f"layer={layer}: .* {lowest} to {count - 1}"):
            teachers.as_queryable(teacher, layer=layer)


def test_autocast_does_not_round_the_answer(live: QueryableTeacher) -> None:
    batch, query = live.collate(ITEMS), query_to(live)
    expected = live.answer(batch, query)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(live.answer(batch, query.bfloat16().float()), live.answer(
            batch, query.bfloat16()))  # fmt: skip
        assert torch.equal(live.answer(batch, query), expected)


def test_a_query_of_another_shape_is_refused(live: QueryableTeacher) -> None:
    batch = live.collate(["CCO", "C"])
    with pytest.raises(ShapeError, match=r"query of shape \(1, .* expected \(2, "):
        live.answer(batch, query_to(live, 1))
    with pytest.raises(ShapeError, match="query of shape"):
        live.answer(batch, query_to(live, 2)[:, :-1])


def test_no_molecules_at_all(live: QueryableTeacher) -> None:
    for items in ([], ["no molecule"]):
        batch = live.collate(items)
        assert live.answer(batch, None).shape == (len(items), live.dim)
        query = query_to(live, len(items)).requires_grad_()
        assert not live.answer(batch, query).any()
        assert batch.to(torch.device("cpu")).present.tolist() == [False] * len(items)


# == Who cannot


@pytest.mark.parametrize("name", ["maccs", "rdkit2d"])
def test_teachers_without_hidden_states_are_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match=f"{name!r} cannot answer.* molclr-gcn.* transformers .hf"
    ):
        teachers.as_queryable(teachers.make(name))


def test_other_transformers_are_refused(folders: dict[str, Path]) -> None:
    neo = tiny_models.teacher_of(folders, "gpt_neo")
    with pytest.raises(
        ConfigError, match=r"of type 'gpt_neo', which cannot .* bert, roberta, .*can"
    ):
        neo.queryable()
