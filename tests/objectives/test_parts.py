"""Teachers that give states of an item's parts: masks, sizes of items, heads of their own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives.headwise import NODES, HeadwiseObjective
from molkd.tensors import Features, FeatureSpec, Nodes, Targets
from tests.objectives import references, samples

TEACHERS = "atoms other"


def _objective(name: str = "mse", *, nodes: bool = True, **options: Any) -> HeadwiseObjective:
    made = samples.objective(name, samples.specs(TEACHERS), nodes=nodes, **options)
    assert isinstance(made, HeadwiseObjective)
    return made.eval()


def _targets() -> Targets:
    return samples.targets(samples.specs(TEACHERS))


def _rows(objective: HeadwiseObjective, features: Features, targets: Targets) -> Tensor:
    """Shape (b,): the losses of the teacher with parts."""
    return objective.row_losses(features, targets)[list(objective.specs).index("atoms")]


@pytest.mark.parametrize("name", ["mse", "cosine", "unic"])
@pytest.mark.parametrize("ladder", [0, 1])
def test_a_row_is_the_mean_of_its_own_loss_and_that_of_its_parts(name: str, ladder: int):
    options: dict[str, Any] = {"ladder": ladder}
    objective, features, targets = _objective(name, **options), samples.features(), _targets()
    targets.nodes["atoms"][[0, 5]] = math.nan
    nodes = cast("Nodes", features.nodes)
    outputs = objective.heads[f"to atoms{NODES}"](nodes.layers[-1], nodes.layers)
    parts: list[list[float]] = [[] for _ in range(samples.BATCH)]
    of_a_row = references.ROW_LOSSES[name]
    for owner, output, target in zip(
        nodes.owner.tolist(), references.as_numpy(outputs), targets.nodes["atoms"], strict=True
    ):
        if torch.isfinite(target).all():
            state = target.double().numpy()
            parts[owner].append(of_a_row(objective, "atoms" + NODES, output, state))
    alone = references.headwise(name, objective, features, targets)[0]
    expected = [(a + np.mean(p)) / 2 for a, p in zip(alone, parts, strict=True)]
    rows = _rows(objective, features, targets)
    np.testing.assert_allclose(rows.detach().numpy(), expected, rtol=1e-4)
    loss = objective(features, targets)
    assert loss.parts["atoms"].item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_large_and_small_items_of_equal_error_count_alike():
    sizes = torch.tensor([5, 50])
    specs = samples.specs("atoms")
    objective = samples.objective("mse", specs, nodes=True).eval()
    assert isinstance(objective, HeadwiseObjective)
    with torch.no_grad():
        for parameter in objective.parameters():
            parameter.zero_()  # predicts zero: the error is the target
    owner = torch.repeat_interleave(torch.arange(2), sizes)
    states = torch.zeros(55, 6)
    layers = tuple(torch.zeros(2, width) for width in samples.FEATURES.layers)
    node_layers = tuple(torch.zeros(55, width) for width in samples.FEATURES.layers)
    features = Features(torch.zeros(2, 8), layers, Nodes((*node_layers[:-1], states), owner))
    present = {"atoms": torch.ones(2, dtype=torch.bool)}

    def losses(*errors: float) -> list[float]:
        target = torch.repeat_interleave(torch.tensor(errors), sizes)[:, None].expand(55, 4)
        targets = Targets({"atoms": torch.zeros(2, 5)}, present, {"atoms": target})
        rows = objective.row_losses(features, targets)[0]
        return [*rows.tolist(), objective(features, targets).total.item()]

    assert losses(2.0, 2.0) == pytest.approx([2.0, 2.0, 2.0])
    assert losses(2.0, 4.0) == pytest.approx([2.0, 8.0, 5.0])


def test_parts_without_a_target_do_not_count():
    objective, features, targets = _objective(), samples.features(), _targets()
    targets.nodes["atoms"][[0, 4], 1] = math.nan  # one dimension is enough
    garbage = targets.nodes["atoms"].clone()
    garbage[[0, 4]] = math.nan
    objective(features, targets).total.backward()
    nodes = cast("Nodes", features.nodes)
    gradient = cast("Tensor", nodes.layers[-1].grad)
    assert gradient.isfinite().all()
    counted = gradient.abs().sum(dim=1) > 0
    assert not counted[[0, 4]].any()
    assert counted.sum() == sum(samples.ATOMS) - 2
    assert torch.equal(
        _rows(objective, features, targets),
        _rows(objective, features, replace(targets, nodes={"atoms": garbage})),
    )


def test_a_row_without_any_part_has_its_own_loss_only():
    features, targets = samples.features(), _targets()
    nodes = cast("Nodes", features.nodes)
    targets.nodes["atoms"][nodes.owner == 2] = math.nan
    rows = _rows(_objective(), features, targets)
    own = torch.from_numpy(references.headwise("mse", _objective(), features, targets)[0])
    assert rows[2].item() == pytest.approx(own[2].item(), rel=1e-5)
    assert rows[0].item() != pytest.approx(own[0].item(), rel=1e-3)


def test_a_teacher_that_is_not_present_has_no_loss_of_its_parts():
    objective, features, targets = _objective(), samples.features(), _targets()
    targets.present["atoms"][2] = False
    objective(features, targets).total.backward()
    nodes = cast("Nodes", features.nodes)
    assert _rows(objective, features, targets)[2] == 0
    gradient = cast("Tensor", nodes.layers[-1].grad)
    assert not gradient[nodes.owner == 2].any()
    assert gradient[nodes.owner == 0].any()


def test_without_targets_of_parts_the_loss_is_that_of_whole_items():
    objective, features, targets = _objective(), samples.features(), _targets()
    whole = replace(targets, nodes={})
    table = references.headwise("mse", objective, features, whole)
    assert objective(features, whole).total.item() == pytest.approx(
        table.mean(axis=1).mean(), rel=1e-5
    )
    other = list(objective.specs).index("other")
    assert torch.equal(
        objective.row_losses(features, whole)[other], objective.row_losses(features, targets)[other]
    )


def test_only_teachers_with_parts_have_a_head_for_them():
    assert set(_objective().heads) == {"to atoms", "to other", f"to atoms{NODES}"}
    assert _objective().reads_nodes
    assert set(_objective(nodes=False).heads) == {"to atoms", "to other"}
    assert not _objective(nodes=False).reads_nodes
    without = samples.objective("mse", samples.specs("other"), nodes=True)
    assert not without.reads_nodes


def test_the_head_of_parts_reads_their_last_state_and_the_rungs_the_earlier_ones():
    for ladder, read in ((0, [False, False, True]), (2, [False, True, True])):
        objective, features = _objective(ladder=ladder), samples.features()
        objective(features, _targets()).total.backward()
        nodes = cast("Nodes", features.nodes)
        assert [layer.grad is not None for layer in nodes.layers] == read


def test_students_that_do_not_show_their_parts_are_refused():
    with pytest.raises(ConfigError, match="nodes = true needs a student that shows its layers"):
        type(_objective())(
            FeatureSpec(8), samples.specs(TEACHERS), replace(_objective().settings, ladder=0)
        )
    with pytest.raises(ConfigError, match="not asked for the states of its parts"):
        _objective()(replace(samples.features(), nodes=None), _targets())


def test_a_student_of_parts_learns_from_them_alone():
    torch.manual_seed(0)
    x = torch.randn(sum(samples.ATOMS), 6)
    targets = _targets()
    targets.nodes["atoms"][:] = x @ torch.randn(6, 4)
    owner = cast("Nodes", samples.features().nodes).owner
    objective, student = _objective(), nn.Linear(6, 6)
    optimizer = torch.optim.Adam([*student.parameters(), *objective.parameters()], lr=0.05)
    fixed = samples.features()
    losses: list[float] = []
    for _ in range(60):
        nodes = Nodes((x, x, student(x)), owner)
        loss = objective(replace(fixed, nodes=nodes), targets).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 5
