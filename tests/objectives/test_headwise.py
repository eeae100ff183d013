"""Objectives with a head per teacher: averages, dropping, prefixes, relations."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from molkd import objectives
from molkd.errors import ConfigError
from molkd.objectives.dropping import kept
from molkd.objectives.headwise import HeadwiseObjective
from molkd.objectives.relational import relational
from molkd.tensors import Features, FeatureSpec, Targets, TargetSpec
from tests.objectives import references, samples

AVERAGES = ["teachers", "pairs", "rows"]


def _objective(name: str = "mse", teachers: str = "real other", **options: Any) -> Any:
    specs = samples.specs(teachers)
    for teacher, weight in options.pop("weights", {}).items():
        specs[teacher] = replace(specs[teacher], weight=weight)
    made = samples.objective(name, specs, **options)
    assert isinstance(made, HeadwiseObjective)
    return made


def _targets(teachers: str = "real other") -> Targets:
    """Row 1 lacks the first teacher, row 4 both."""
    targets = samples.targets(samples.specs(teachers))
    first, second = teachers.split()[:2]
    targets.present[first][[1, 4]] = False
    targets.present[second][4] = False
    return targets


def _by_hand(how: str, losses: Any, counts: Any, weights: list[float]) -> float:
    """The average of a table of losses, one pair after another."""
    teachers, rows = losses.shape
    pairs = [(i, b) for i in range(teachers) for b in range(rows) if counts[i, b]]
    if how == "pairs":
        mass = sum(weights[i] for i, _ in pairs)
        return sum(weights[i] * losses[i, b] for i, b in pairs) / mass
    if how == "rows":
        total = 0.0
        for b in range(rows):
            mass = sum(weights[i] for i, row in pairs if row == b)
            total += sum(weights[i] * losses[i, b] / mass for i, row in pairs if row == b)
        return total / rows
    means = [np.mean([losses[i, b] for j, b in pairs if i == j]) for i in range(teachers)]
    return float(np.mean(np.array(weights) * means))


@pytest.mark.parametrize("how", AVERAGES)
@pytest.mark.parametrize("training", [False, True])
def test_averages_are_those_by_hand(how: str, training: bool):
    objective = _objective(average=how, teacher_drop_prob=0.7, weights={"other": 3.0}).train(
        training
    )
    features, targets = samples.features(), _targets()
    losses = references.headwise("mse", objective, features, targets)
    counts = ~np.isnan(losses)
    if training:
        torch.manual_seed(2)
        uniforms, table = torch.rand(2, samples.BATCH), torch.from_numpy(losses)
        counts = kept(table, torch.from_numpy(counts), uniforms, 0.7).numpy()
        assert 0 < counts.sum() < (~np.isnan(losses)).sum()
    torch.manual_seed(2)
    total = objective(features, targets).total.item()
    weights = [1.5, 0.5] if next(iter(objective.specs)) == "other" else [0.5, 1.5]
    assert total == pytest.approx(_by_hand(how, losses, counts, weights), rel=1e-5)


def test_in_an_average_over_rows_all_rows_with_teachers_weigh_the_same():
    targets, shares = _targets(), {}
    for how in AVERAGES:
        features = samples.features()
        objective = _objective("cosine", average=how)
        losses = objective.row_losses(features, targets).detach().requires_grad_()
        objective.row_losses = lambda *_, losses=losses: losses
        objective.eval()(features, targets).total.backward()
        shares[how] = losses.grad.sum(dim=0)
    sixth = torch.full((samples.BATCH,), 1 / 6)
    sixth[4] = 0.0
    torch.testing.assert_close(shares["rows"], sixth)
    torch.testing.assert_close(shares["pairs"], torch.tensor([2.0, 1, 2, 2, 0, 2]) / 9)
    assert shares["teachers"][1] < shares["teachers"][0]


def test_weights_of_teachers_are_relative():
    once, twice = (_objective(weights={"real": w, "other": 3 * w}) for w in (1.0, 2.0))
    same = _objective(weights={"real": 1.0, "other": 1.0})
    losses = [o.eval()(samples.features(), _targets()).total for o in (once, twice, same)]
    assert torch.equal(losses[0], losses[1])
    assert not torch.equal(losses[0], losses[2])


def test_no_gradient_passes_through_what_counts():
    for training in (True, False):
        objective = _objective(teacher_drop_prob=0.5, average="pairs").train(training)
        features, targets = samples.features(), _targets()
        torch.manual_seed(1)
        objective(features, targets).total.backward()
        again = samples.features()
        losses = objective.row_losses(again, targets)
        present = torch.stack([targets.present[name] for name in objective.specs])
        torch.manual_seed(1)
        uniforms = torch.rand(losses.shape)
        counted = kept(losses.detach(), present, uniforms, 0.5) if training else present
        ((losses * counted).sum() / counted.sum()).backward()
        torch.testing.assert_close(features.embedding.grad, again.embedding.grad)


def test_evaluation_is_deterministic_and_training_drops():
    objective = _objective(teacher_drop_prob=0.5, matryoshka_dims=(2, 4))
    features, targets = samples.features(), _targets()

    def totals() -> set[float]:
        return {objective(features, targets).total.item() for _ in range(8)}

    assert len(totals()) > 2
    objective.eval()
    assert len(totals()) == 1
    without = _objective(teacher_drop_prob=0.0, matryoshka_dims=(2, 4)).eval()
    assert totals() == {without(features, targets).total.item()}


def test_how_often_each_teacher_is_the_hardest_is_told_while_dropping():
    objective, features = _objective(teacher_drop_prob=0.5), samples.features()
    facts = objective(features, _targets()).facts
    assert set(facts) == {"hardest real", "hardest other"}
    assert sum(facts.values()).item() == pytest.approx(1)
    assert not objective.eval()(features, _targets()).facts
    assert not _objective()(features, _targets()).facts


# Prefixes


def _cut(features: Features, length: int) -> Features:
    zeros = torch.zeros(len(features.embedding), features.embedding.shape[1] - length)
    return replace(features, embedding=torch.cat([features.embedding[:, :length], zeros], dim=1))


def _totals(objective: Any, features: Features, targets: Targets) -> list[float]:
    """The loss of the whole embedding and of its prefixes of 2 and 4."""
    views = [features, _cut(features, 2), _cut(features, 4)]
    losses = [objective.row_losses(view, targets).detach().numpy() for view in views]
    present = np.stack([targets.present[name].numpy() for name in objective.specs])
    return [_by_hand("pairs", loss, present, [1.0, 1.0]) for loss in losses]


def test_in_evaluation_all_prefixes_count_and_in_training_one_of_them():
    objective = _objective(matryoshka_dims=(2, 4), average="pairs")
    features, targets = samples.features(), _targets()
    whole, two, four = _totals(objective, features, targets)
    assert objective.eval()(features, targets).total.item() == pytest.approx(
        (whole + two + four) / 3, rel=1e-5
    )
    objective.train()
    seen = sorted({objective(features, targets).total.item() for _ in range(30)})
    assert seen == pytest.approx(sorted([(whole + two) / 2, (whole + four) / 2]), rel=1e-5)


def test_the_parts_are_those_of_the_whole_embedding():
    features, targets = samples.features(), _targets()
    cut, whole = (_objective(matryoshka_dims=p).eval()(features, targets) for p in ((2,), ()))
    assert cut.parts == whole.parts
    assert cut.total != whole.total


def test_a_prefix_sends_no_gradient_to_the_tail():
    gradients: list[Tensor] = []
    for prefixes in ((3,), ()):
        features = samples.features()
        _objective(matryoshka_dims=prefixes)(features, _targets()).total.backward()
        gradients.append(cast("Tensor", features.embedding.grad))
    torch.testing.assert_close(gradients[0][:, 3:], gradients[1][:, 3:] / 2)
    assert not torch.allclose(gradients[0][:, :3], gradients[1][:, :3] / 2, atol=1e-3)


def _loss_of_a_trained_prefix(dims: tuple[int, ...]) -> float:
    torch.manual_seed(0)
    x = torch.randn(64, 6)
    value = x @ torch.randn(6, 2)
    targets = Targets({"t": value / value.std(0)}, {"t": torch.ones(64, dtype=torch.bool)})
    settings = objectives.configured("mse", {"head_hidden": 16, "matryoshka_dims": dims})
    spec = TargetSpec(2, "real", torch.zeros(2))
    objective = cast("HeadwiseObjective", settings.build(FeatureSpec(8), {"t": spec}))
    student = nn.Linear(6, 8)
    optimizer = torch.optim.Adam([*student.parameters(), *objective.parameters()], lr=0.02)
    for _ in range(120):
        loss = objective(Features(student(x)), targets).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return objective.row_losses(_cut(Features(student(x)), 3), targets).mean().item()


def test_a_prefix_that_is_trained_knows_the_teacher():
    assert _loss_of_a_trained_prefix((3,)) < 0.02
    assert _loss_of_a_trained_prefix(()) > 0.2


@pytest.mark.parametrize("length", [0, -1, samples.WIDTH, 100])
def test_a_prefix_that_does_not_cut_the_embedding_is_refused(length: int):
    with pytest.raises(
        ConfigError, match=f"matryoshka_dims: {length} must be positive and shorter"
    ):
        _objective(matryoshka_dims=(2, length))


# Relations


def _slow_relational(embedding: Any, target: Any, present: Any) -> float:
    def cosines(values: Any) -> Any:
        centred = values[present] - values[present].mean(axis=0)
        unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        return unit @ unit.T

    gap = (cosines(embedding) - cosines(target)) ** 2
    n = int(present.sum())
    return float(sum(gap[a, b] for a in range(n) for b in range(n) if a != b) / (n * (n - 1)))


def test_relations_are_those_of_a_slow_reference_without_masked_rows():
    rng = torch.Generator().manual_seed(0)
    z, t = torch.randn(9, 4, generator=rng).requires_grad_(), torch.randn(9, 6, generator=rng)
    present = torch.ones(9, dtype=torch.bool)
    present[[2, 5]] = False
    t[2], t[5] = math.nan, math.inf
    loss = relational(z, t, present)
    arrays = [references.as_numpy(z), references.as_numpy(t), present.numpy()]
    assert loss.item() == pytest.approx(_slow_relational(*arrays), rel=1e-5)
    (gradient,) = torch.autograd.grad(loss, z)
    assert gradient.isfinite().all()
    assert not gradient[[2, 5]].any()
    assert gradient[0].any()


def test_relations_are_blind_to_rotation_scale_and_shift_and_to_nothing_else():
    rng = torch.Generator().manual_seed(0)
    t = torch.randn(9, 4, generator=rng)
    rotation = torch.linalg.qr(torch.randn(7, 4, generator=rng)).Q
    present = torch.ones(9, dtype=torch.bool)
    turned = 3 * (t @ rotation.T) + 5
    assert relational(turned, t, present).item() == pytest.approx(0, abs=1e-9)
    turned[0] += 3 * torch.randn(7, generator=rng)
    assert relational(turned, t, present) > 0.01


def test_relations_of_fewer_than_two_rows_are_zero():
    z = torch.randn(3, 4).requires_grad_()
    loss = relational(z, torch.randn(3, 2), torch.tensor([False, True, False]))
    loss.backward()
    assert loss == 0
    assert not z.grad.any()  # pyright: ignore[reportOptionalMemberAccess]


def test_the_relational_term_is_added_with_its_weight_and_those_of_the_teachers():
    features, targets, weights = samples.features(), _targets(), {"other": 3.0}
    without, with_it = (
        _objective(relational_weight=r, weights=weights).eval()(features, targets).total.item()
        for r in (0.0, 0.7)
    )
    z = references.as_numpy(features.embedding)
    terms = {
        name: _slow_relational(z, references.as_numpy(value), targets.present[name].numpy())
        for name, value in targets.values.items()
    }
    expected = 0.7 * (0.5 * terms["real"] + 1.5 * terms["other"]) / 2
    assert with_it - without == pytest.approx(expected, rel=1e-4)
