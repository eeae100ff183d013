"""Heads and rungs: which there are, what they read, and short paths to every layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest
import torch
from torch import nn

from molkd.errors import ConfigError
from molkd.objectives.headwise import HeadwiseObjective
from molkd.objectives.ladder import Ladder
from molkd.objectives.settings import HeadSettings
from molkd.tensors import Features, FeatureSpec, Targets
from tests.objectives import samples

LAYERS = FeatureSpec(8, (4, 5, 6, 7, 8, 9))


def _objective(**options: object) -> HeadwiseObjective:
    made = samples.objective("mse", samples.specs("real other"), **options)
    assert isinstance(made, HeadwiseObjective)
    return made


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("every", "rungs"),
    [(0, ()), (1, (0, 1, 2, 3, 4)), (2, (0, 2, 4)), (3, (1, 4)), (4, (0, 4)), (5, (4,)), (9, (4,))],
)
def test_rungs_are_every_kth_layer_before_the_last(every: int, rungs: tuple[int, ...]):
    assert HeadSettings(ladder=every).rungs(LAYERS) == rungs


def test_a_student_of_one_layer_has_no_rungs_and_one_without_layers_no_ladder():
    assert HeadSettings(ladder=1).rungs(FeatureSpec(8, (8,))) == ()
    with pytest.raises(ConfigError, match="ladder=1 needs a student that shows its layers"):
        HeadSettings(ladder=1).rungs(FeatureSpec(8))


@pytest.mark.parametrize("every", [0, 1, 2])
@pytest.mark.parametrize("norm", ["none", "hidden", "input"])
def test_the_number_of_parameters_follows_from_the_widths(every: int, norm: Any):
    settings = HeadSettings(ladder=every, head_hidden=11, rung_hidden=3, head_norm=norm)
    rungs = settings.rungs(LAYERS)
    outputs, heads = 13, [(8, 11), *((LAYERS.layers[at], 3) for at in rungs)]
    expected = sum(d * h + h + h * outputs + outputs for d, h in heads)
    expected += {"none": 0, "hidden": sum(2 * h for _, h in heads)}.get(
        norm, sum(2 * d for d, _ in heads)
    )
    assert _count(Ladder(8, LAYERS.layers, rungs, outputs, settings)) == expected


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_head_layers_counts_hidden_layers(layers: int):
    head = Ladder(8, (), (), 3, HeadSettings(head_hidden=16, head_layers=layers, head_norm="none"))
    linear = [m for m in head.modules() if isinstance(m, nn.Linear)]
    widths = [8, *[16] * layers, 3]
    assert [(m.in_features, m.out_features) for m in linear] == list(pairwise(widths))


def test_a_head_without_hidden_layers_is_linear():
    head = Ladder(8, (), (), 3, HeadSettings(head_layers=0))
    one, other = torch.randn(2, 6, 8)
    torch.testing.assert_close(head((one + other) / 2, ()), (head(one, ()) + head(other, ())) / 2)


@pytest.mark.parametrize(("norm", "blind"), [("input", True), ("hidden", False), ("none", False)])
def test_only_a_normalised_input_is_blind_to_its_length(norm: Any, blind: bool):
    head = Ladder(8, (), (), 3, HeadSettings(head_hidden=16, head_norm=norm))
    state = 3 * torch.randn(6, 8)
    same = torch.allclose(head(state, ()), head(4 * state, ()), atol=1e-3)
    assert same is blind


def test_a_skip_adds_a_linear_map_of_the_embedding():
    torch.manual_seed(0)
    head = Ladder(8, (), (), 3, HeadSettings(head_hidden=16, head_skip=True))
    state = torch.randn(6, 8)
    assert head.skip is not None
    expected = head.last(state) + state @ head.skip.weight.T
    torch.testing.assert_close(head(state, ()), expected)


def test_a_head_begins_at_a_linear_map_and_only_with_a_skip():
    settings = HeadSettings(head_hidden=16, head_skip=True)
    head, state = Ladder(8, (), (), 5, settings), torch.randn(6, 8)
    slope, bias = torch.randn(3, 8), torch.randn(3)
    head.start_at(torch.zeros(5))
    before = head(state, ())[:, 3:]
    head.start_linear(slope, bias)
    torch.testing.assert_close(head(state, ())[:, :3], state @ slope.T + bias)
    assert torch.equal(head(state, ())[:, 3:], before)
    with pytest.raises(ConfigError, match="head_skip = true"):
        Ladder(8, (), (), 5, HeadSettings()).start_linear(slope, bias)


def test_normalised_hidden_layers_have_mean_0_and_variance_1():
    head = Ladder(8, (), (), 3, HeadSettings(head_hidden=16, head_layers=2, head_norm="hidden"))
    seen: list[torch.Tensor] = []
    norms = [m for m in head.modules() if isinstance(m, nn.LayerNorm)]
    for norm in norms:
        norm.register_forward_hook(lambda _m, _i, out: seen.append(out))
    head(torch.randn(6, 8), ())
    assert len(seen) == 2
    for value in seen:
        torch.testing.assert_close(value.mean(dim=1), torch.zeros(6), atol=1e-5, rtol=0)
        torch.testing.assert_close(
            value.var(dim=1, unbiased=False), torch.ones(6), rtol=1e-3, atol=0
        )


def test_a_prediction_is_the_sum_of_its_rungs():
    objective, features = _objective(ladder=1), samples.features()
    ladder = cast("Ladder", objective.heads["to real"])
    whole = objective.predict("real", features)
    for at in (0, 1):
        rung = cast("nn.Sequential", ladder.rungs[at])
        contribution = rung(features.layers[at])
        final = cast("nn.Linear", rung[-1])
        kept = final.weight.detach().clone(), final.bias.detach().clone()
        with torch.no_grad():
            final.weight.zero_()
            final.bias.zero_()
        torch.testing.assert_close(whole - objective.predict("real", features), contribution)
        with torch.no_grad():
            final.weight.copy_(kept[0])
            final.bias.copy_(kept[1])


def test_without_a_ladder_it_is_one_head_on_the_embedding():
    objective, features = _objective(ladder=0), samples.features()
    assert not objective.reads_layers
    head = cast("Ladder", objective.heads["to real"]).last
    predicted = objective.predict("real", Features(features.embedding))
    assert torch.equal(predicted, head(features.embedding))
    assert _objective(ladder=1).reads_layers


def test_the_last_rung_reads_the_embedding_and_no_rung_the_last_layer():
    objective, features = _objective(ladder=1), samples.features()
    targets = samples.targets(samples.specs("real other"))
    objective(features, targets).total.backward()
    assert features.embedding.grad is not None
    assert (features.embedding.grad.abs().sum(dim=1) > 0).all()
    first, second, last = (layer.grad for layer in features.layers)
    assert first is not None
    assert second is not None
    assert (first.abs().sum(dim=1) > 0).all()
    assert (second.abs().sum(dim=1) > 0).all()
    assert last is None


def _gradient_of_the_first_block(every: int) -> float:
    """Of a student whose upper blocks send nothing back to the first."""
    torch.manual_seed(0)
    blocks = [nn.Linear(6, 12), nn.Linear(12, 10), nn.Linear(10, 6), nn.Linear(6, 8)]
    first = torch.tanh(blocks[0](torch.randn(samples.BATCH, 6)))
    second = torch.tanh(blocks[1](first.detach()))
    third = torch.tanh(blocks[2](second))
    specs = samples.specs("real other")
    objective = samples.objective("mse", specs, ladder=every)
    targets: Targets = samples.targets(specs)
    objective(Features(blocks[3](third), (first, second, third)), targets).total.backward()
    assert all(block.weight.grad is not None for block in blocks[1:])
    gradient = blocks[0].weight.grad
    return 0.0 if gradient is None else gradient.abs().sum().item()


def test_a_ladder_reaches_early_layers_without_the_later_ones():
    assert _gradient_of_the_first_block(every=1) > 0
    assert _gradient_of_the_first_block(every=0) == 0
    assert _gradient_of_the_first_block(every=2) == 0  # its only rung is on the second layer
