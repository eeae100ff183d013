"""UNIC: its loss, what it starts from, precision, and that every option does something."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from molkd import objectives
from molkd.objectives.settings import UnicSettings
from molkd.objectives.unic import Unic
from tests.objectives import references, samples


def _unic(**options: object) -> Unic:
    made = samples.objective("unic", samples.specs("real other"), **options)
    assert isinstance(made, Unic)
    return made


def _row_loss(outputs: Tensor, target: Tensor, cosine: float = 0.5) -> Tensor:
    return _unic(cosine_weight=cosine)._row_loss("real", outputs, target)


def test_the_cosine_part_is_0_along_the_target_and_2_against_it():
    target = torch.randn(6, 5)
    for scale in (0.1, 1.0, 30.0):
        torch.testing.assert_close(_row_loss(scale * target, target, 1.0), torch.zeros(6))
        torch.testing.assert_close(_row_loss(-scale * target, target, 1.0), torch.full((6,), 2.0))


def test_the_smooth_part_is_half_the_square_of_small_errors_and_linear_in_large_ones():
    target = torch.randn(6, 5)
    small = torch.rand(6, 5) * 1.98 - 0.99
    expected = small.square().mean(dim=1) / 2
    torch.testing.assert_close(_row_loss(target + small, target, 0.0), expected)
    large = torch.full((6, 5), -7.0)
    torch.testing.assert_close(_row_loss(target + large, target, 0.0), torch.full((6,), 6.5))


def test_the_length_of_a_prediction_only_matters_to_the_smooth_part():
    outputs, target = torch.randn(2, 6, 5)
    torch.testing.assert_close(_row_loss(outputs, target, 1.0), _row_loss(3 * outputs, target, 1.0))
    assert (_row_loss(outputs, target, 0.0) != _row_loss(3 * outputs, target, 0.0)).all()


def test_the_two_parts_share_the_weight():
    outputs, target = torch.randn(2, 6, 5)
    cosine, smooth = _row_loss(outputs, target, 1.0), _row_loss(outputs, target, 0.0)
    torch.testing.assert_close(_row_loss(outputs, target), (cosine + smooth) / 2)
    torch.testing.assert_close(_row_loss(outputs, target, 0.3), 0.3 * cosine + 0.7 * smooth)


def test_a_prediction_or_target_of_zero_is_finite():
    outputs = torch.zeros(6, 5, requires_grad=True)
    for target in (torch.randn(6, 5), torch.zeros(6, 5)):
        loss = _row_loss(outputs, target)
        (gradient,) = torch.autograd.grad(loss.sum(), outputs)
        assert loss.isfinite().all()
        assert gradient.isfinite().all()


def test_losses_under_autocast_are_those_of_float64():
    objective, features = _unic(), samples.features()
    targets = samples.targets(samples.specs("real other"))
    seen: dict[str, Tensor] = {}
    for name in objective.specs:
        head = objective.heads[f"to {name}"]
        head.register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out}))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = objective.row_losses(features, targets)
    assert losses.dtype == torch.float32
    for name, rows in zip(objective.specs, losses, strict=True):
        assert seen[name].dtype == torch.bfloat16
        outputs, values = references.as_numpy(seen[name].float()), targets.values[name].double()
        expected = [
            references.unic(objective, name, *pair)
            for pair in zip(outputs, values.numpy(), strict=True)
        ]
        assert rows.tolist() == pytest.approx(expected, rel=1e-4)


def test_heads_start_as_the_authors_do():
    torch.manual_seed(0)
    settings = objectives.configured("unic")
    made = settings.build(samples.FEATURES, samples.specs("real"))
    linear = [m for m in made.modules() if isinstance(m, nn.Linear)]
    assert len(linear) == 2 * 3  # the embedding and two layers
    assert not any(m.bias.any() for m in linear)
    spread = torch.cat([m.weight.flatten() for m in linear]).std()
    assert spread.item() == pytest.approx(0.02, rel=0.05)
    assert not [m for m in made.modules() if isinstance(m, nn.LayerNorm)]


def test_defaults_are_those_of_the_paper():
    settings = UnicSettings()
    assert (settings.ladder, settings.teacher_drop_prob, settings.average) == (1, 0.5, "pairs")
    assert (settings.cosine_weight, settings.head_norm, settings.drop_by) == (
        0.5,
        "none",
        "absolute",
    )


# Every option changes something

CHANGES: dict[str, Any] = {
    "scaling": "ema",
    "head_hidden": 24,
    "head_layers": 2,
    "head_norm": "input",
    "head_skip": True,
    "ladder": 2,
    "rung_hidden": 7,
    "average": "rows",
    "teacher_drop_prob": 0.9,
    "drop_by": "relative",
    "matryoshka_dims": (3,),
    "relational_weight": 0.5,
    "nodes": True,
    "cosine_weight": 0.9,
}


def _after_some_steps(**options: object) -> list[float]:
    specs = samples.specs("atoms other")
    objective = samples.objective("unic", specs, **options)
    targets = samples.targets(specs)
    targets.present["other"][2] = False
    torch.manual_seed(0)
    losses: list[float] = []
    for step in range(6):
        objective.at(step / 6)
        losses.append(objective(samples.features(step), targets).total.item())
    return losses


@pytest.mark.parametrize("option", [f.name for f in fields(UnicSettings) if f.name != "name"])
def test_every_option_changes_the_loss(option: str):
    usual = _after_some_steps()
    assert usual == _after_some_steps()
    assert usual != _after_some_steps(**{option: CHANGES[option]})
