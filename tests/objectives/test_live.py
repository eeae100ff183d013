"""DiverseDistill with teachers that run beside the student: who learns, who is run, who is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from molkd import objectives
from molkd.errors import ConfigError
from molkd.live import LiveTeacher
from molkd.objectives.answers import LiveAnswer
from molkd.objectives.diverse import Diverse
from molkd.tensors import Features, FeatureSpec, Targets, TargetSpec
from tests.fakes.live_teachers import Letters, LetterTeacher
from tests.objectives import samples
from tests.objectives.references import as_numpy

ITEMS = ["CCO", "C", "OCCO", "CCCC", "N", "CO"]
OFF = {"student": 0.0, "anchor": 0.0, "balance": 0.0, "direct": 0.0}
ASK = {f"questioner.{part}" for part in ("teachers", "match", "general", "decoders")}


def _live(*names: str) -> dict[str, LetterTeacher]:
    return {name: LetterTeacher(name, seed) for seed, name in enumerate(names)}


def _diverse(
    live: Mapping[str, LiveTeacher], teachers: str = samples.NAMES, **options: Any
) -> Diverse:
    """An objective moved away from its special starting point."""
    torch.manual_seed(0)
    options = {"question_hidden": 16, "live": tuple(live), **options}
    settings = objectives.configured("diverse", options)
    made = objectives.make(settings, samples.FEATURES, samples.specs(teachers), live=live)
    assert isinstance(made, Diverse)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def _targets(
    live: Mapping[str, LetterTeacher], teachers: str = samples.NAMES, items: list[str] = ITEMS
) -> Targets:
    batches = {name: teacher.collate(items) for name, teacher in live.items()}
    return dataclasses.replace(samples.targets(samples.specs(teachers)), live=batches)


def _asked(
    objective: Diverse, features: Features, targets: Targets
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Who could be asked, importance, who was, answers."""
    present = torch.stack([targets.present[name] for name in objective.specs])
    able = objective._able(present, targets.live)
    values = list(objective.clean(targets).values())
    state = features.layers[objective._layer].detach()
    return able, *objective._ask(state, values, able, targets.live)


# Who learns


@pytest.mark.parametrize(
    ("term", "learners"),
    [
        ({"student": 1.0}, {"student"}),
        ({"anchor": 1.0}, ASK | {"answers", "anchors"}),
        ({"anchor": 1.0, "detach_question": False}, ASK | {"answers", "anchors", "layer"}),
        ({"balance": 1.0}, {"questioner.teachers", "questioner.match"}),
        ({"direct": 1.0}, {"student", "anchors"}),
    ],
)
def test_each_term_teaches_only_whom_it_shall(term: dict[str, Any], learners: set[str]):  # D9
    live = _live("real", "bits")
    options: dict[str, Any] = {**OFF, **term}
    objective, features = _diverse(live, **options), samples.features()
    objective(features, _targets(live)).total.backward()
    found = {
        ".".join(name.split(".")[:2]) if name.startswith("questioner") else name.split(".")[0]
        for name, parameter in objective.named_parameters()
        if parameter.grad is not None and parameter.grad.any()
    }
    inputs = {"student": features.embedding, "layer": features.layers[1]}
    assert found | {n for n, v in inputs.items() if v.grad is not None and v.grad.any()} == learners


def test_questions_learn_through_a_teacher_that_does_not():  # D1
    live = _live("real")
    objective = _diverse(live, "real", **OFF | {"anchor": 1.0})
    objective(samples.features(), _targets(live, "real")).total.backward()
    answers = objective.answers["to real"]
    assert isinstance(answers, LiveAnswer)
    learn = [answers.scale, answers.ask.weight, answers.ask.bias]
    learn += [objective.questioner.teachers, objective.questioner.decoders[0].weight]
    assert all(one.grad is not None and one.grad.any() for one in learn)
    assert all(one.grad is None for one in live["real"].parameters())


def test_a_teacher_that_runs_is_no_part_of_the_objective():  # D14
    live = _live("real", "bits")
    objective = _diverse(live)
    theirs = {id(one) for teacher in live.values() for one in teacher.parameters()}
    assert not theirs & {id(one) for one in objective.parameters()}
    assert not any(isinstance(module, LetterTeacher) for module in objective.modules())
    assert not any("net" in name for name in objective.state_dict())
    objective.train().double().requires_grad_()
    for teacher in live.values():
        assert not teacher.training
        for one in teacher.parameters():
            assert one.dtype == torch.float32
            assert not one.requires_grad


def test_a_teacher_is_the_same_after_training():  # D13
    live = _live("real", "bits")
    batch = live["real"].collate(ITEMS)
    before = live["real"].answer(batch, None)
    objective = _diverse(live)
    optimizer = torch.optim.AdamW(objective.parameters(), lr=0.1)
    for step in range(5):
        optimizer.zero_grad()
        objective.train()(samples.features(step), _targets(live)).total.backward()
        optimizer.step()
    assert torch.equal(live["real"].answer(batch, None), before)


# Who is asked


def test_an_answer_is_that_of_a_slow_reference():
    live = _live("real", "bits")
    objective, features, targets = _diverse(live), samples.features(), _targets(live)
    able, _, _, answers = _asked(objective, features, targets)
    assert able.all()
    module, teacher = objective.answers["to bits"], live["bits"]
    w = {name: as_numpy(value) for name, value in module.state_dict().items()}
    place = list(objective.specs).index("bits")
    question = as_numpy(objective.questioner(features.layers[1])[place])
    for row, item in enumerate(ITEMS):
        put = w["scale"] * (w["ask.weight"] @ question[row] + w["ask.bias"])
        alone = torch.from_numpy(put).float()[None]
        state = as_numpy(teacher.answer(teacher.collate([item]), alone))[0]
        state = (state - state.mean()) / np.sqrt(state.var() + 1e-5)
        state = state * w["answer.0.weight"] + w["answer.0.bias"]
        state = w["answer.1.weight"] @ state + w["answer.1.bias"]
        expected = w["answer.3.weight"] @ (state * stats.norm.cdf(state)) + w["answer.3.bias"]
        np.testing.assert_allclose(as_numpy(answers[place, row]), expected, rtol=1e-4, atol=1e-5)


def test_an_answer_depends_on_its_question_and_its_item():  # D3, D4
    live = _live("real")
    module, teacher = _diverse(live).answers["to real"], live["real"]
    everyone = torch.ones(len(ITEMS), dtype=torch.bool)
    question, batch = torch.randn(1, 16).repeat(len(ITEMS), 1), teacher.collate(ITEMS)
    said = module(question, teacher, batch, everyone)
    assert torch.pdist(said).min() > 1e-3
    question[0] += 1
    change = (module(question, teacher, batch, everyone) - said).abs().amax(dim=1)
    assert change[0] > 1e-3
    assert change[1:].max() < 1e-6


@pytest.mark.parametrize("rows", [[], [2], [0, 3, 5], list(range(len(ITEMS)))])
def test_a_part_of_the_items_gets_the_answers_of_the_whole(rows: list[int]):  # D8
    live = _live("real")
    module, teacher = _diverse(live).answers["to real"], live["real"]
    question, batch = torch.randn(len(ITEMS), 16), teacher.collate(ITEMS)
    asked = torch.zeros(len(ITEMS), dtype=torch.bool)
    asked[rows] = True
    whole = module(question, teacher, batch, torch.ones_like(asked))
    runs = teacher.forwards
    part = module(question, teacher, batch, asked)
    assert teacher.forwards - runs == len(rows)
    torch.testing.assert_close(part[asked], whole[asked])
    assert not part[~asked].any()


def test_runs_are_the_pairs_that_were_kept():  # D7
    live = _live("real", "bits")
    objective = _diverse(live, budget=0.4, warmup=0.0)
    filtered = 0
    for step in range(10):
        objective.at(0.5)
        targets = _targets(live)
        targets.present["bits"][[0, step % 6]] = False
        before = {name: teacher.forwards for name, teacher in live.items()}
        loss = objective(samples.features(step), targets)
        runs = {name: teacher.forwards - before[name] for name, teacher in live.items()}
        objective.eval()  # the threshold stays, so that the same are kept
        able, weights, kept, _ = _asked(objective, samples.features(step), targets)
        objective.train()
        filtered += int((able & ~kept).sum())
        assert torch.equal(weights > 0, able)
        first = torch.where(able, weights, -1).argmax(dim=0)
        assert kept.gather(0, first[None]).all()
        for place, name in enumerate(objective.specs):
            if name in live:
                assert runs[name] == kept[place].sum()
                share = loss.facts[f"live forwards {name}"].item()
                assert share == pytest.approx((kept[place].sum() / able[place].sum()).item())
    assert filtered > 10


@pytest.mark.parametrize("budget", [0.2, 0.5])
def test_the_budget_is_what_is_not_run(budget: float):  # D7
    names = samples.NAMES
    live = _live(*names.split())
    objective = _diverse(live, budget=budget, warmup=0.25)
    shares: list[float] = []
    for step in range(200):
        objective.at(step / 200)
        before = sum(teacher.forwards for teacher in live.values())
        features = samples.features(step)
        objective(features, _targets(live))
        runs = sum(teacher.forwards for teacher in live.values()) - before
        shares.append(1 - runs / (len(live) * len(ITEMS)))
    assert not any(shares[:50])
    assert np.mean(shares[50:]) == pytest.approx(budget, abs=0.03)


def test_the_budget_holds_while_importance_is_learnt():  # D7
    live = _live("real", "other", "atoms")
    specs = {name: TargetSpec(6, "real", torch.zeros(6)) for name in live}
    settings = objectives.configured(
        "diverse", {"live": list(live), "budget": 0.3, "question_hidden": 32}
    )
    torch.manual_seed(0)
    objective = objectives.make(settings, FeatureSpec(8, (3, 8)), specs, live=live)
    optimizer = torch.optim.AdamW(objective.parameters(), lr=1e-2)
    present = dict.fromkeys(live, torch.ones(64, dtype=torch.bool))
    generator = torch.Generator().manual_seed(0)
    shares: list[float] = []
    for step in range(200):
        objective.at(step / 200)
        counts = torch.randn(64, 3, generator=generator)
        batch = Letters(counts, present["real"])
        values = {name: teacher.answer(batch, None) for name, teacher in live.items()}
        values["atoms"] = torch.randn(64, 6, generator=generator)
        before = sum(teacher.forwards for teacher in live.values())
        hidden = torch.tanh(counts @ torch.ones(3, 8))
        targets = Targets(values, present, live=dict.fromkeys(live, batch))
        optimizer.zero_grad()
        objective(Features(hidden, (counts, hidden)), targets).total.backward()
        optimizer.step()
        runs = sum(teacher.forwards for teacher in live.values()) - before
        shares.append(1 - runs / (3 * 64))
    assert not any(shares[:20])
    for part in np.array_split(shares[20:], 3):
        assert np.mean(part) == pytest.approx(0.3, abs=0.03)


def test_an_item_that_a_live_teacher_cannot_read_is_absent_for_its_answer():
    live = _live("real", "bits")
    objective, features = _diverse(live), samples.features()
    items = [*ITEMS[:2], "", *ITEMS[3:]]
    targets = _targets(live, items=items)
    able, weights, _, answers = _asked(objective, features, targets)
    for place, name in enumerate(objective.specs):
        expected = [name not in live or bool(item) for item in items]
        assert able[place].tolist() == expected
        assert (weights[place] > 0).tolist() == expected
        assert answers[place].any(dim=1).tolist() == expected
    loss = objective(features, targets)
    assert live["real"].forwards == 2 * (len(items) - 1)
    present = torch.ones(samples.BATCH, dtype=torch.bool)
    anchor = objective.anchors["to real"](features.embedding) - targets.values["real"]
    assert loss.parts["real"].item() == pytest.approx(
        anchor[present].square().mean().item(), rel=1e-5
    )  # the embedding predicts what the bank holds all the same
    loss.total.backward()
    assert all(one.grad is None or one.grad.isfinite().all() for one in objective.parameters())


def test_an_item_without_any_row_in_the_bank_is_not_run_and_spoils_nothing():
    live = _live("real")
    objective = _diverse(live, "real")
    targets = _targets(live, "real")
    targets.values["real"][1:] = torch.nan
    targets.present["real"][1:] = False
    cast("Letters", targets.live["real"]).counts[1:] = torch.nan
    objective(samples.features(), targets).total.backward()
    assert live["real"].forwards == 1
    targets.present["real"][:] = False
    loss = objective(samples.features(), targets)
    loss.total.backward()
    assert live["real"].forwards == 1
    assert loss.total.item() == 0
    assert loss.facts["live forwards real"].isnan()
    assert all(one.grad is None or one.grad.isfinite().all() for one in objective.parameters())


def test_losses_under_autocast_are_close_and_in_single_precision():
    live = _live("real", "bits")
    objective, features, targets = _diverse(live), samples.features(), _targets(live)
    expected = objective(features, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = objective(features, targets)
    assert found.total.dtype == torch.float32
    assert found.total.item() == pytest.approx(expected.total.item(), rel=0.05)


# Who cannot


def test_a_teacher_that_is_not_there_is_refused():
    settings = objectives.configured("diverse", {"live": ["bit"]})
    for refused in (
        lambda: Diverse.check(settings, ["bits", "real"]),
        lambda: Diverse(samples.FEATURES, samples.specs(), settings, _live("bit")),
    ):
        with pytest.raises(
            ConfigError, match=r"live: 'bit' is not among .*bits.*real.* Did you mean 'bits'\?"
        ):
            refused()


def test_a_teacher_that_is_not_handed_over_is_refused():
    settings = objectives.configured("diverse", {"live": ["real", "bits"]})
    with pytest.raises(ConfigError, match="live: bits cannot be asked: hand the teachers"):
        objectives.make(settings, samples.FEATURES, samples.specs(), live=_live("real"))


@pytest.mark.parametrize("name", ["mi", "mse", "cosine", "unic"])
def test_other_objectives_ask_nobody(name: str):
    settings = objectives.configured(name)
    assert objectives.objective_type(name).wants_live(settings) == ()
    with pytest.raises(ConfigError, match="unknown setting 'live'"):
        objectives.configured(name, {"live": ["real"]})


def test_teachers_that_are_not_live_are_asked_through_the_bank():
    live = _live("real")
    objective = _diverse(live)
    kinds = {name: type(module).__name__ for name, module in objective.answers.items()}
    assert kinds == {"to bits": "Gate", "to counts": "Gate", "to real": "LiveAnswer"}
    other = _diverse({})
    assert other.wants_live(other.settings) == ()
    more = objectives.make(other.settings, samples.FEATURES, samples.specs(), live=live)
    more(samples.features(), samples.targets())
    assert live["real"].forwards == 0
