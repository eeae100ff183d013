"""Every objective against a slow reference in NumPy, and the properties common to all."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from molkd import objectives
from molkd.errors import ConfigError, UnknownNameError
from molkd.objectives import OBJECTIVES, MutualInformation, Objective, ObjectiveSettings
from molkd.objectives.densities import GAUSSIAN_ENTROPY
from molkd.tensors import Features, Targets, TargetSpec
from molkd.types import Card

WIDTH, BATCH = 8, 6


def _specs(names: str = "real bits counts") -> dict[str, TargetSpec]:
    specs = {
        "real": TargetSpec(5, "real", torch.zeros(5)),
        "bits": TargetSpec(7, "bits", torch.linspace(0.05, 0.6, 7)),
        "counts": TargetSpec(4, "counts", torch.tensor([0.2, 1.0, 3.0, 60.0])),
    }
    return {name: specs[name] for name in names.split()}


def _targets(specs: Mapping[str, TargetSpec], seed: int = 0) -> Targets:
    rng = torch.Generator().manual_seed(seed)
    draw = {
        "real": lambda shape: torch.randn(shape, generator=rng),
        "bits": lambda shape: (torch.rand(shape, generator=rng) < 0.3).float(),
        "counts": lambda shape: torch.poisson(torch.full(shape, 2.0), generator=rng),
    }
    values = {name: draw[spec.support]((BATCH, spec.dim)) for name, spec in specs.items()}
    return Targets(values, {name: torch.ones(BATCH, dtype=torch.bool) for name in specs})


def _features(seed: int = 1) -> Features:
    generator = torch.Generator().manual_seed(seed)
    return Features(torch.randn(BATCH, WIDTH, generator=generator).requires_grad_())


def _objective(name: str, specs: Mapping[str, TargetSpec] | None = None) -> Objective:
    torch.manual_seed(0)
    specs = _specs() if specs is None else specs
    objective = objectives.make(ObjectiveSettings(name=name, head_hidden=16), WIDTH, specs)
    with torch.no_grad():
        for parameter in objective.parameters():  # away from the special starting point
            parameter.add_(0.3 * torch.randn_like(parameter))
    return objective


each = pytest.mark.parametrize("name", OBJECTIVES)


@each
def test_the_loss_is_that_of_a_slow_reference(name: str):
    objective, features, targets = _objective(name), _features(), _targets(_specs())
    loss = objective(features, targets)
    expected = {
        teacher: np.mean(
            [
                _slow(name, objective, teacher, outputs, row)
                for outputs, row in zip(
                    objective.predict(teacher, features).detach().double().numpy(),
                    targets.values[teacher].double().numpy(),
                    strict=True,
                )
            ]
        )
        for teacher in objective.specs
    }
    for teacher, value in expected.items():
        assert loss.parts[teacher].item() == pytest.approx(value, rel=1e-4)
    assert loss.total.item() == pytest.approx(np.mean(list(expected.values())), rel=1e-4)


def _slow(name: str, objective: Objective, teacher: str, outputs, target) -> float:
    if name == "mse":
        return float(np.mean((outputs - target) ** 2))
    if name == "cosine":
        return 1 - float(outputs @ target / np.linalg.norm(outputs) / np.linalg.norm(target))
    assert isinstance(objective, MutualInformation)
    spec = objective.specs[teacher]
    if spec.support == "real":
        mean, raw = np.split(outputs, 2)
        sd = np.exp(-4 + 6 / (1 + np.exp(-4 / 6 * raw)))
        nats = -stats.norm.logpdf(target, mean, sd).sum()
        return nats / spec.dim
    marginal = spec.mean.double().numpy()
    if spec.support == "bits":
        nats = -stats.bernoulli.logpmf(target, 1 / (1 + np.exp(-outputs))).sum()
        entropy = stats.bernoulli.entropy(marginal).sum()
    else:
        rate = np.exp(-10 + 20 / (1 + np.exp(-4 / 20 * outputs)))
        nats = -stats.poisson.logpmf(target, rate).sum()
        entropy = stats.poisson.entropy(marginal).sum()
    return nats / (entropy / (0.5 * math.log(2 * math.pi * math.e)))


@each
def test_a_masked_row_changes_neither_loss_nor_gradient(name: str):
    specs = _specs()
    results: list[tuple[Tensor, Tensor]] = []
    for garbage in (0.0, math.nan, math.inf):
        objective, features, targets = _objective(name), _features(), _targets(specs)
        targets.present["real"][2] = False
        targets.values["real"][2] = garbage
        loss = objective(features, targets)
        loss.total.backward()
        assert features.embedding.grad is not None
        results.append((loss.total.detach(), features.embedding.grad))
    for total, gradient in results[1:]:
        assert torch.equal(total, results[0][0])
        assert torch.equal(gradient, results[0][1])


@each
def test_a_teacher_missing_from_the_batch_has_no_part_and_no_gradient(name: str):
    objective, features, targets = _objective(name), _features(), _targets(_specs())
    targets.present["bits"][:] = False
    loss = objective(features, targets)
    loss.total.backward()
    assert math.isnan(loss.parts["bits"])
    assert torch.isfinite(loss.total)
    for key, parameter in objective.named_parameters():
        zero = parameter.grad is None or not parameter.grad.any()
        assert zero is key.startswith("heads.to bits.")


@each
def test_all_teachers_missing_gives_a_zero_that_can_be_differentiated(name: str):
    objective, features, targets = _objective(name), _features(), _targets(_specs())
    for present in targets.present.values():
        present[:] = False
    loss = objective(features, targets)
    loss.total.backward()
    assert loss.total.item() == 0
    assert features.embedding.grad is not None
    assert not features.embedding.grad.any()


@each
def test_the_order_of_teachers_does_not_matter(name: str):
    losses: list[float] = []
    for names in ("real bits counts", "counts real bits"):
        loss = _objective(name, _specs(names))(_features(), _targets(_specs()))
        losses.append(loss.total.item())
    assert losses[0] == losses[1]


@each
def test_one_row_and_one_teacher_are_enough(name: str):
    objective = _objective(name, _specs("real"))
    targets = _targets(_specs("real"))
    one = Targets({"real": targets.values["real"][:1]}, {"real": targets.present["real"][:1]})
    loss = objective(Features(_features().embedding[:1]), one)
    assert torch.isfinite(loss.total)


@each
def test_every_head_gets_a_gradient(name: str):
    objective = _objective(name)
    objective(_features(), _targets(_specs())).total.backward()
    assert all(p.grad is not None and p.grad.any() for p in objective.parameters())


@each
def test_the_loss_is_float32_under_autocast(name: str):
    objective, features, targets = _objective(name), _features(), _targets(_specs())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = objective(features, targets)
    assert half.total.dtype == torch.float32
    assert half.total.item() == pytest.approx(objective(features, targets).total.item(), rel=0.05)


@each
@pytest.mark.parametrize("change", [{"head_hidden": 24}, {"head_layers": 2}, {"head_layers": 0}])
def test_the_shape_of_the_heads_is_an_option(name: str, change: dict[str, int]):
    def count(settings: ObjectiveSettings) -> int:
        return sum(p.numel() for p in objectives.make(settings, WIDTH, _specs()).parameters())

    assert count(ObjectiveSettings(name=name, **change)) != count(ObjectiveSettings(name=name))


@each
def test_a_perfect_student_of_a_linear_teacher_is_found(name: str):
    torch.manual_seed(0)
    specs = _specs("real")
    objective = objectives.make(ObjectiveSettings(name=name, head_layers=0), WIDTH, specs)
    z = torch.randn(256, WIDTH)
    targets = Targets({"real": z @ torch.randn(WIDTH, 5)}, {"real": torch.ones(256) > 0})
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = objective(Features(z), targets).total
        loss.backward()
        optimizer.step()
    best = {"mi": -2.0, "mse": 0.01, "cosine": 0.01}[name]
    assert loss.item() < best


def test_cosine_is_blind_to_positive_scale_and_mse_is_not():
    features, targets = _features(), _targets(_specs("real"))
    scaled = Targets({"real": 3 * targets.values["real"]}, targets.present)
    for name, blind in (("cosine", True), ("mse", False)):
        objective = _objective(name, _specs("real"))
        one, other = (objective(features, t).total.item() for t in (targets, scaled))
        assert (one == pytest.approx(other, rel=1e-5)) is blind


def test_wide_teachers_do_not_drown_narrow_ones():
    specs = {
        "wide": TargetSpec(2000, "bits", torch.full((2000,), 0.02)),
        "narrow": TargetSpec(3, "real", torch.zeros(3)),
    }
    objective = objectives.make(ObjectiveSettings(), WIDTH, specs)
    values = {"wide": (torch.rand(64, 2000) < 0.02).float(), "narrow": torch.randn(64, 3)}
    everywhere = {name: torch.ones(64, dtype=torch.bool) for name in specs}
    loss = objective(Features(torch.randn(64, WIDTH)), Targets(values, everywhere))
    for part in loss.parts.values():  # at the start, each is at its marginal entropy
        assert part.item() == pytest.approx(GAUSSIAN_ENTROPY, rel=0.2)


def test_settings_that_contradict_are_refused():
    card = Card(name="a", kind="", dim=3, support="bits", source="", license="", limits="")
    with pytest.raises(UnknownNameError, match="Did you mean 'cosine'"):
        objectives.target_form(ObjectiveSettings(name="cosin"), card)
    with pytest.raises(UnknownNameError, match="Did you mean 'gaussian'"):
        objectives.target_form(ObjectiveSettings(densities={"a": "gausian"}), card)
    with pytest.raises(ConfigError, match="'mse' has no densities"):
        objectives.target_form(ObjectiveSettings(name="mse", densities={"a": "poisson"}), card)
    with pytest.raises(ConfigError, match="real targets, which density 'poisson'"):
        objectives.make(ObjectiveSettings(densities={"real": "poisson"}), WIDTH, _specs("real"))
    with pytest.raises(ConfigError, match="at least one teacher"):
        objectives.make(ObjectiveSettings(), WIDTH, {})
    with pytest.raises(ConfigError, match="head_hidden must be at least 1"):
        ObjectiveSettings(head_hidden=0)


def test_the_form_of_targets_follows_card_density_and_objective():
    def form(support, **settings) -> str:
        card = Card(name="a", kind="", dim=3, support=support, source="", license="", limits="")
        return objectives.target_form(ObjectiveSettings(**settings), card)

    assert form("real") == "standardized"
    assert form("bits") == form("counts") == "as-is"
    assert form("bits", densities={"a": "gaussian"}) == "standardized"
    assert form("bits", name="mse") == form("counts", name="cosine") == "standardized"
