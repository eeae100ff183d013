"""What holds for every objective: a slow reference, masks, order, resuming, learning."""

from __future__ import annotations

import copy
import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from molkd import objectives
from molkd.objectives import OBJECTIVES, Objective
from molkd.objectives.diverse.objective import Diverse
from molkd.objectives.headwise import HeadwiseObjective
from molkd.tensors import Features, FeatureSpec, Loss, Targets, TargetSpec
from tests.objectives import references, samples

each = pytest.mark.parametrize("name", OBJECTIVES)


def _loss(objective: Objective, features: Features, targets: Targets) -> Loss:
    """In evaluation mode, where nothing is left to chance."""
    return objective.eval()(features, targets)


def _gradients(features: Features) -> list[Tensor]:
    return [part.grad for part in (features.embedding, *features.layers) if part.grad is not None]


@each
def test_the_loss_is_that_of_a_slow_reference(name: str):
    specs = samples.specs("real other" if name == "diverse" else samples.NAMES)
    objective, features = samples.objective(name, specs), samples.features()
    targets = samples.targets(specs)
    targets.present["real"][[1, 4]] = False
    loss = _loss(objective, features, targets)
    if isinstance(objective, Diverse):
        expected = references.diverse(objective, features, targets)
        for term, value in expected.items():
            assert loss.facts[term].item() == pytest.approx(value, rel=1e-4, abs=1e-6)
        total = expected["student"] + expected["anchor"] + expected["direct"]
    else:
        assert isinstance(objective, HeadwiseObjective)
        table = references.headwise(name, objective, features, targets)
        for teacher, row in zip(objective.specs, table, strict=True):
            assert loss.parts[teacher].item() == pytest.approx(np.nanmean(row), rel=1e-4)
        pairs = objective.settings.average == "pairs"
        total = np.nanmean(table) if pairs else np.nanmean(table, axis=1).mean()
    assert loss.total.item() == pytest.approx(total, rel=1e-4)


@each
def test_a_masked_row_changes_neither_loss_nor_gradient(name: str):
    results: list[tuple[Tensor, list[Tensor]]] = []
    for garbage in (0.0, math.nan, math.inf):
        objective, features, targets = (
            samples.objective(name),
            samples.features(),
            samples.targets(),
        )
        targets.present["real"][2] = False
        targets.values["real"][2] = garbage
        loss = _loss(objective, features, targets)
        loss.total.backward()
        results.append((loss.total.detach(), _gradients(features)))
    for total, gradients in results[1:]:
        assert torch.equal(total, results[0][0])
        assert gradients
        for one, other in zip(gradients, results[0][1], strict=True):
            assert torch.equal(one, other)


@each
def test_a_teacher_missing_from_the_batch_has_no_part_and_no_gradient(name: str):
    objective, features, targets = samples.objective(name), samples.features(), samples.targets()
    targets.present["bits"][:] = False
    loss = _loss(objective, features, targets)
    loss.total.backward()
    assert math.isnan(loss.parts["bits"])
    assert torch.isfinite(loss.total)
    own = {
        key: parameter.grad is None or not parameter.grad.any()
        for key, parameter in objective.named_parameters()
        if key.split(".")[1].startswith("to ")
    }
    assert {zero for key, zero in own.items() if ".to bits." in key} == {True}
    assert {zero for key, zero in own.items() if ".to bits." not in key} == {False}


@each
def test_all_teachers_missing_gives_a_zero_that_can_be_differentiated(name: str):
    objective, features, targets = samples.objective(name), samples.features(), samples.targets()
    for present in targets.present.values():
        present[:] = False
    for training in (True, False):
        loss = objective.train(training)(features, targets)
        loss.total.backward()
        assert loss.total.item() == 0
        assert features.embedding.grad is not None
        assert not any(gradient.any() for gradient in _gradients(features))


@each
def test_the_order_of_teachers_does_not_matter(name: str):
    losses: list[float] = []
    for names in ("real bits counts", "counts real bits"):
        objective = samples.objective(name, samples.specs(names)).train()
        torch.manual_seed(3)
        losses.append(objective(samples.features(), samples.targets()).total.item())
    assert losses[0] == losses[1]


@each
@pytest.mark.parametrize("training", [True, False])
def test_one_row_and_one_teacher_are_enough(name: str, training: bool):
    specs = samples.specs("real")
    objective, targets, features = (
        samples.objective(name, specs),
        samples.targets(specs),
        samples.features(),
    )
    one = Targets({"real": targets.values["real"][:1]}, {"real": targets.present["real"][:1]})
    first = Features(features.embedding[:1], tuple(layer[:1] for layer in features.layers))
    loss = objective.train(training)(first, one)
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(gradient).all() for gradient in _gradients(features))


@each
def test_everything_that_is_learnt_gets_a_gradient(name: str):
    objective = samples.objective(name)
    _loss(objective, samples.features(), samples.targets()).total.backward()
    assert all(p.grad is not None and p.grad.any() for p in objective.parameters())


@each
def test_teachers_get_no_gradient(name: str):
    objective, features, targets = samples.objective(name), samples.features(), samples.targets()
    values = {key: value.requires_grad_() for key, value in targets.values.items()}
    objective(features, replace(targets, values=values)).total.backward()
    assert features.embedding.grad is not None
    assert all(value.grad is None for value in values.values())


@each
def test_the_loss_is_float32_under_autocast(name: str):
    objective, features, targets = samples.objective(name), samples.features(), samples.targets()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = _loss(objective, features, targets)
    assert half.total.dtype == torch.float32
    assert half.total.item() == pytest.approx(
        _loss(objective, features, targets).total.item(), rel=0.05
    )


@each
def test_a_resumed_objective_gives_the_same_next_loss(name: str):
    options = {"skip_fraction": 0.3, "warmup": 0.0}
    if name != "diverse":
        options = {"teacher_drop_prob": 0.5, "drop_by": "relative", "matryoshka_dims": (2, 4)}
    features = samples.features()
    torch.manual_seed(5)
    running = samples.objective(name, **options, scaling="ema").train()
    for seed in range(3):
        running(features, samples.targets(seed=seed))
    state, random = copy.deepcopy(running.state_dict()), torch.get_rng_state()
    expected = [running(features, samples.targets(seed=seed)).total.item() for seed in range(3, 12)]
    resumed = samples.objective(name, **options, scaling="ema").train()
    resumed.load_state_dict(state)
    torch.set_rng_state(random)
    found = [resumed(features, samples.targets(seed=seed)).total.item() for seed in range(3, 12)]
    assert found == expected


@each
def test_a_student_of_linear_teachers_learns_them_and_does_not_collapse(name: str):
    torch.manual_seed(0)
    x = torch.randn(512, 6)
    maps = {"one": torch.randn(6, 5), "two": torch.randn(6, 7)}
    specs = {
        key: TargetSpec(m.shape[1], "real", torch.zeros(m.shape[1])) for key, m in maps.items()
    }
    values = {key: x @ m / (x @ m).std(0) for key, m in maps.items()}
    targets = Targets(values, {key: torch.ones(512, dtype=torch.bool) for key in maps})
    small = {"query_hidden": 32} if name == "diverse" else {"head_hidden": 32}
    objective = objectives.configured(name, small).build(FeatureSpec(8, (16, 16, 16)), specs)
    lower = torch.nn.Linear(6, 16)
    upper = torch.nn.Linear(16, 8)
    optimizer = torch.optim.Adam(
        [*lower.parameters(), *upper.parameters(), *objective.parameters()], lr=0.02
    )
    for step in range(200):
        objective.at(step / 200)
        state = lower(x)
        loss = objective(Features(upper(state), (state,) * 3), targets).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    z = upper(lower(x)).detach()
    inputs = torch.cat([z, torch.ones(512, 1)], dim=1)
    for value in values.values():
        fitted = inputs[:256] @ torch.linalg.lstsq(inputs[:256], value[:256]).solution
        held = inputs[256:] @ torch.linalg.lstsq(inputs[:256], value[:256]).solution
        assert fitted.isfinite().all()
        error = (held - value[256:]).square().sum() / (
            value[256:] - value[256:].mean(0)
        ).square().sum()
        assert 1 - error > 0.95
    assert z.std(dim=0).mean() > 0.1
    shares = torch.linalg.svdvals(z - z.mean(0)).square()
    shares = shares / shares.sum()
    assert torch.exp(-(shares * shares.clamp(min=1e-12).log()).sum()) > 2.5


@each
@pytest.mark.parametrize("garbage", ["noise", "constant"])
def test_a_useless_teacher_leaves_the_loss_and_gradients_of_the_others(name: str, garbage: str):
    """Of `diverse`, where teachers share the queries, all that can be said is that it learns on."""
    specs = samples.specs("real other")
    objective, targets = samples.objective(name, specs), samples.targets(specs)
    before = objective.eval()(samples.features(), targets).parts["real"].item()
    targets.values["other"][:] = 0.0 if garbage == "constant" else 50 * torch.randn(6, 3)
    loss = objective(samples.features(), targets)
    loss.total.backward()
    if name != "diverse":
        assert loss.parts["real"].item() == before
    for key, parameter in objective.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        if ".to real." in key:
            assert parameter.grad.any(), key


@each
def test_every_option_is_told_apart_in_print(name: str):
    kind = OBJECTIVES[name].settings_type
    assert name in repr(samples.objective(name))
    for field in fields(kind):
        assert f"{field.name}=" in repr(samples.objective(name))
