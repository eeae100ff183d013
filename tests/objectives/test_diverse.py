"""DiverseDistill: who learns from which term, importance, filtering, and every option."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from molkd.errors import ConfigError
from molkd.objectives.diverse.objective import Diverse, DiverseSettings
from molkd.tensors import Features, FeatureSpec, Loss, Targets
from tests.objectives import samples
from tests.objectives.references import as_numpy

OFF = dict.fromkeys(("student_weight", "anchor_weight", "balance_weight", "direct_weight"), 0.0)


def _diverse(teachers: str = samples.NAMES, **options: Any) -> Diverse:
    made = samples.objective("diverse", samples.specs(teachers), **options)
    assert isinstance(made, Diverse)
    return made


def _ask(objective: Diverse, features: Features, targets: Targets) -> tuple[Tensor, Tensor, Tensor]:
    """Importance, who is asked, answers."""
    present = torch.stack([targets.present[name] for name in objective.specs])
    values = list(objective.clean(targets).values())
    return objective._ask(features.layers[objective._layer], values, present, targets.queried)


def _learners(objective: Diverse, features: Features) -> set[str]:
    """Which parts get a gradient: "student", "student's layer n", modules by name."""
    objective(features, samples.targets()).total.backward()
    found = {
        ".".join(name.split(".")[:2]) if name.startswith("querying") else name.split(".")[0]
        for name, parameter in objective.named_parameters()
        if parameter.grad is not None and parameter.grad.any()
    }
    inputs = {"student": features.embedding} | {
        f"layer {n}": layer for n, layer in enumerate(features.layers)
    }
    return found | {n for n, v in inputs.items() if v.grad is not None and v.grad.any()}


ASK = {f"querying.{part}" for part in ("teachers", "match", "general", "decoders")}
WEIGH = {"querying.teachers", "querying.match"}


@pytest.mark.parametrize(
    ("term", "learners"),
    [
        ({"student_weight": 1.0}, {"student"}),
        ({"anchor_weight": 1.0}, ASK | {"answers", "anchors"}),
        ({"anchor_weight": 1.0, "detach_query": False}, ASK | {"answers", "anchors", "layer 1"}),
        ({"balance_weight": 1.0}, WEIGH),
        ({"direct_weight": 1.0}, {"student", "anchors"}),
    ],
)
def test_each_term_teaches_only_whom_it_shall(term: dict[str, Any], learners: set[str]):
    assert _learners(_diverse(**{**OFF, **term}), samples.features()) == learners


@pytest.mark.parametrize(
    ("kind", "trained"), [("leave-one-out", True), ("mixture", True), ("uniform", False)]
)
def test_importance_is_trained_by_the_anchors_unless_uniform(kind: str, trained: bool):
    learners = _learners(
        _diverse(**OFF | {"anchor_weight": 1.0}, importance=kind), samples.features()
    )
    assert ("querying.match" in learners) is trained
    assert "querying.decoders" in learners


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_query_comes_from_the_chosen_layer(layer: int):
    objective = _diverse(query_layer=layer, detach_query=False)
    learners = _learners(objective, samples.features())
    assert {name for name in learners if name.startswith("layer")} == {f"layer {layer}"}


def test_the_query_comes_from_the_middle_layer_and_needs_one():
    specs, small = samples.specs(), {"query_hidden": 4}
    for count, middle in ((1, 0), (2, 0), (3, 1), (5, 2), (10, 4)):
        spec = FeatureSpec(8, tuple(range(3, 3 + count)))
        made = Diverse(spec, specs, DiverseSettings(**small))
        assert made.querying.match[0].in_features == spec.layers[middle]
        assert made.reads_layers
    with pytest.raises(ConfigError, match="needs a student that shows its layers"):
        Diverse(FeatureSpec(8), specs)
    for layer in (3, -1):
        with pytest.raises(ConfigError, match=r"query_layer must lie in \[0, 2\]"):
            _diverse(query_layer=layer)


def test_the_total_is_the_weighted_sum_of_its_terms():
    weights = {
        "student_weight": 0.3,
        "anchor_weight": 0.7,
        "balance_weight": 0.2,
        "direct_weight": 1.9,
    }
    loss = cast("Loss", _diverse(**weights)(samples.features(), samples.targets()))
    expected = sum(
        weight * loss.facts[name.removesuffix("_weight")].item() for name, weight in weights.items()
    )
    assert loss.total.item() == pytest.approx(expected, rel=1e-5)


def test_a_teacher_s_part_is_how_badly_the_embedding_predicts_it():
    objective, features, targets = _diverse(), samples.features(), samples.targets()
    targets.present["real"][[0, 3]] = False
    parts = objective(features, targets).parts
    z = as_numpy(features.embedding)
    for name, part in parts.items():
        anchor = {k: as_numpy(v) for k, v in objective.anchors[f"to {name}"].state_dict().items()}
        errors = (z @ anchor["weight"].T + anchor["bias"] - as_numpy(targets.values[name])) ** 2
        assert part.item() == pytest.approx(errors[targets.present[name].numpy()].mean(), rel=1e-5)


@pytest.mark.parametrize("answering", ["gate", "attention"])
def test_a_mixture_predicts_every_teacher_from_the_common_answer(answering: str):
    objective = _diverse(importance="mixture", own_share=0.3, answering=answering)
    features, targets = samples.features(), samples.targets()
    targets.present["bits"][[1, 2]] = False
    weights, _, answers = (as_numpy(part) for part in _ask(objective, features, targets))
    together, own = [], []
    for i, name in enumerate(objective.specs):
        anchor = {k: as_numpy(v) for k, v in objective.anchors[f"to {name}"].state_dict().items()}
        for b in np.flatnonzero(targets.present[name].numpy()):
            common = sum(weights[j, b] * answers[j, b] for j in range(3))
            for states, row in ((together, common), (own, answers[i, b])):
                said = anchor["weight"] @ row + anchor["bias"]
                error = np.mean((said - as_numpy(targets.values[name])[b]) ** 2)
                states.append((i, error))
    means = [
        np.mean([np.mean([e for j, e in states if j == i]) for i in range(3)])
        for states in (together, own)
    ]
    loss = objective(features, targets)
    assert loss.facts["anchor"].item() == pytest.approx(means[0] + 0.3 * means[1], rel=1e-4)


def test_importance_that_is_uniform_shares_among_those_present():
    objective, features, targets = (
        _diverse(importance="uniform"),
        samples.features(),
        samples.targets(),
    )
    targets.present["real"][1] = False
    targets.present["real"][2] = targets.present["bits"][2] = False
    weights, _, _ = _ask(objective, features, targets)
    count = torch.stack([targets.present[name] for name in objective.specs])
    torch.testing.assert_close(weights, count / count.sum(dim=0))


def test_a_higher_temperature_makes_teachers_more_alike():
    features, targets = samples.features(), samples.targets()
    spread = [
        _ask(_diverse(temperature=t), features, targets)[0].std(dim=0).mean().item()
        for t in (0.2, 1.0, 5.0, 1e6)
    ]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("importance", ["leave-one-out", "mixture", "uniform"])
def test_one_teacher_answers_alone(importance: str):
    objective = _diverse("real", importance=importance)
    features, targets = samples.features(), samples.targets(samples.specs("real"))
    weights, _, answers = _ask(objective, features, targets)
    assert torch.equal(weights, torch.ones(1, samples.BATCH))
    loss = objective(features, targets)
    assert loss.facts["balance"].item() == pytest.approx(0, abs=1e-6)
    distance = (features.embedding - answers[0]).square().mean()
    assert loss.facts["student"].item() == pytest.approx(distance.item(), rel=1e-5)
    said = objective.anchors["to real"](answers[0])
    own = (said - targets.values["real"]).square().mean()
    assert loss.facts["anchor"].item() == pytest.approx(own.item(), rel=1e-5)
    assert _learners_of_one(objective) >= {"answers", "anchors"}


def _learners_of_one(objective: Diverse) -> set[str]:
    objective(samples.features(), samples.targets(samples.specs("real"))).total.backward()
    return {n.split(".")[0] for n, p in objective.named_parameters() if p.grad is not None}


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match="at least 2 pieces"):
        _diverse(answering="attention", pieces=1)
    assert _diverse(answering="gate", pieces=1)
    with pytest.raises(ConfigError, match="skip_fraction needs importance"):
        _diverse(importance="uniform", skip_fraction=0.3)


# Every option changes something

CHANGES: dict[str, Any] = {
    "scaling": "ema",
    "query_layer": 2,
    "query_hidden": 12,
    "teacher_dim": 5,
    "answering": "attention",
    "pieces": 3,
    "importance": "mixture",
    "temperature": 3.0,
    "student_weight": 0.5,
    "anchor_weight": 0.5,
    "own_share": 0.1,
    "balance_weight": 1.0,
    "direct_weight": 0.5,
    "skip_fraction": 0.4,
    "warmup": 0.9,
    "detach_query": False,
}
WITH: dict[str, dict[str, Any]] = {
    "pieces": {"answering": "attention"},
    "warmup": {"skip_fraction": 0.4},
}


def _after_some_steps(**options: Any) -> list[float]:
    objective = _diverse("real other bits", **options)
    targets = samples.targets(samples.specs("real other bits"))
    totals: list[float] = []
    for step in range(6):
        features = samples.features(step)
        objective.at(step / 6)
        total = objective(features, targets).total
        total.backward()
        sent = sum(v.grad.abs().sum().item() for v in features.layers if v.grad is not None)
        totals += [total.item(), sent]
    return totals


OPTIONS = [f.name for f in fields(DiverseSettings) if f.name not in {"name", "queried"}]
"""All but `queried`, which needs teachers that can be asked: see test_queryable."""


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_changes_the_loss_or_its_gradient(option: str):
    others = WITH.get(option, {})
    usual = _after_some_steps(**others)
    assert usual == _after_some_steps(**others)
    assert usual != _after_some_steps(**others, **{option: CHANGES[option]})
