"""DiverseDistill with teachers that run beside the student: who learns, who is run, who is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from molkd import objectives
from molkd.objectives.diverse.answers import QueriedAnswer
from molkd.tensors import Features, FeatureSpec, Targets, TargetSpec
from tests.fakes.queryable_teachers import Letters, LetterTeacher
from tests.objectives import samples
from tests.objectives.queryable_samples import (
    ASK,
    ITEMS,
    OFF,
    ask,
    make_diverse,
    make_queryable,
    make_targets,
)
from tests.objectives.references import as_numpy


@pytest.mark.parametrize(
    ("term", "learners"),
    [
        ({"student_weight": 1.0}, {"student"}),
        ({"anchor_weight": 1.0}, ASK | {"answers", "anchors"}),
        ({"anchor_weight": 1.0, "detach_query": False}, ASK | {"answers", "anchors", "layer"}),
        ({"balance_weight": 1.0}, {"querying.teachers", "querying.match"}),
        ({"direct_weight": 1.0}, {"student", "anchors"}),
    ],
)
def test_each_term_teaches_only_whom_it_shall(term: dict[str, Any], learners: set[str]):
    live = make_queryable("real", "bits")
    options: dict[str, Any] = {**OFF, **term}
    objective, features = make_diverse(live, **options), samples.features()
    objective(features, make_targets(live)).total.backward()
    found = {
        ".".join(name.split(".")[:2]) if name.startswith("querying") else name.split(".")[0]
        for name, parameter in objective.named_parameters()
        if parameter.grad is not None and parameter.grad.any()
    }
    inputs = {"student": features.embedding, "layer": features.layers[1]}
    assert found | {n for n, v in inputs.items() if v.grad is not None and v.grad.any()} == learners


def test_questions_learn_through_a_teacher_that_does_not():
    live = make_queryable("real")
    objective = make_diverse(live, "real", **OFF | {"anchor_weight": 1.0})
    objective(samples.features(), make_targets(live, "real")).total.backward()
    answers = objective.answers["to real"]
    assert isinstance(answers, QueriedAnswer)
    learn = [answers.scale, answers.ask.weight, answers.ask.bias]
    learn += [objective.querying.teachers, objective.querying.decoders[0].weight]
    assert all(one.grad is not None and one.grad.any() for one in learn)
    assert all(one.grad is None for one in live["real"].parameters())


def test_a_teacher_that_runs_is_no_part_of_the_objective():
    live = make_queryable("real", "bits")
    objective = make_diverse(live)
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


def test_a_teacher_is_the_same_after_training():
    live = make_queryable("real", "bits")
    batch = live["real"].collate(ITEMS)
    before = live["real"].answer(batch, None)
    objective = make_diverse(live)
    optimizer = torch.optim.AdamW(objective.parameters(), lr=0.1)
    for step in range(5):
        optimizer.zero_grad()
        objective.train()(samples.features(step), make_targets(live)).total.backward()
        optimizer.step()
    assert torch.equal(live["real"].answer(batch, None), before)


# Who is asked


def test_an_answer_is_that_of_a_slow_reference():
    live = make_queryable("real", "bits")
    objective, features, targets = make_diverse(live), samples.features(), make_targets(live)
    able, _, _, answers = ask(objective, features, targets)
    assert able.all()
    module, teacher = objective.answers["to bits"], live["bits"]
    w = {name: as_numpy(value) for name, value in module.state_dict().items()}
    place = list(objective.specs).index("bits")
    query = as_numpy(objective.querying(features.layers[1])[place])
    for row, item in enumerate(ITEMS):
        put = w["scale"] * (w["ask.weight"] @ query[row] + w["ask.bias"])
        alone = torch.from_numpy(put).float()[None]
        state = as_numpy(teacher.answer(teacher.collate([item]), alone))[0]
        state = (state - state.mean()) / np.sqrt(state.var() + 1e-5)
        state = state * w["answer.0.weight"] + w["answer.0.bias"]
        state = w["answer.1.weight"] @ state + w["answer.1.bias"]
        expected = w["answer.3.weight"] @ (state * stats.norm.cdf(state)) + w["answer.3.bias"]
        np.testing.assert_allclose(as_numpy(answers[place, row]), expected, rtol=1e-4, atol=1e-5)


def test_an_answer_depends_on_its_query_and_its_item():
    live = make_queryable("real")
    module, teacher = make_diverse(live).answers["to real"], live["real"]
    everyone = torch.ones(len(ITEMS), dtype=torch.bool)
    query, batch = torch.randn(1, 16).repeat(len(ITEMS), 1), teacher.collate(ITEMS)
    said = module(query, teacher, batch, everyone)
    assert torch.pdist(said).min() > 1e-3
    query[0] += 1
    change = (module(query, teacher, batch, everyone) - said).abs().amax(dim=1)
    assert change[0] > 1e-3
    assert change[1:].max() < 1e-6


@pytest.mark.parametrize("rows", [[], [2], [0, 3, 5], list(range(len(ITEMS)))])
def test_a_part_of_the_items_gets_the_answers_of_the_whole(rows: list[int]):
    live = make_queryable("real")
    module, teacher = make_diverse(live).answers["to real"], live["real"]
    query, batch = torch.randn(len(ITEMS), 16), teacher.collate(ITEMS)
    asked = torch.zeros(len(ITEMS), dtype=torch.bool)
    asked[rows] = True
    whole = module(query, teacher, batch, torch.ones_like(asked))
    runs = teacher.forwards
    part = module(query, teacher, batch, asked)
    assert teacher.forwards - runs == len(rows)
    torch.testing.assert_close(part[asked], whole[asked])
    assert not part[~asked].any()


def test_runs_are_the_pairs_that_were_kept():
    live = make_queryable("real", "bits")
    objective = make_diverse(live, skip_fraction=0.4, warmup=0.0)
    filtered = 0
    for step in range(10):
        objective.at(0.5)
        targets = make_targets(live)
        targets.present["bits"][[0, step % 6]] = False
        before = {name: teacher.forwards for name, teacher in live.items()}
        loss = objective(samples.features(step), targets)
        runs = {name: teacher.forwards - before[name] for name, teacher in live.items()}
        objective.eval()  # the threshold stays, so that the same are kept
        able, weights, kept, _ = ask(objective, samples.features(step), targets)
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
def test_the_budget_is_what_is_not_run(budget: float):
    names = samples.NAMES
    live = make_queryable(*names.split())
    objective = make_diverse(live, skip_fraction=budget, warmup=0.25)
    shares: list[float] = []
    for step in range(120):
        objective.at(step / 120)
        before = sum(teacher.forwards for teacher in live.values())
        features = samples.features(step)
        objective(features, make_targets(live))
        runs = sum(teacher.forwards for teacher in live.values()) - before
        shares.append(1 - runs / (len(live) * len(ITEMS)))
    assert not any(shares[:30])
    assert np.mean(shares[30:]) == pytest.approx(budget, abs=0.03)


def test_the_budget_holds_while_importance_is_learnt():
    live = make_queryable("real", "other", "atoms")
    specs = {name: TargetSpec(6, "real", torch.zeros(6)) for name in live}
    settings = objectives.configured(
        "diverse", {"queried": list(live), "skip_fraction": 0.3, "query_hidden": 32}
    )
    torch.manual_seed(0)
    objective = settings.build(FeatureSpec(8, (3, 8)), specs, queryable=live)
    optimizer = torch.optim.AdamW(objective.parameters(), lr=1e-2)
    present = dict.fromkeys(live, torch.ones(64, dtype=torch.bool))
    generator = torch.Generator().manual_seed(0)
    shares: list[float] = []
    for step in range(150):
        objective.at(step / 150)
        counts = torch.randn(64, 3, generator=generator)
        batch = Letters(counts, present["real"])
        values = {name: teacher.answer(batch, None) for name, teacher in live.items()}
        values["atoms"] = torch.randn(64, 6, generator=generator)
        before = sum(teacher.forwards for teacher in live.values())
        hidden = torch.tanh(counts @ torch.ones(3, 8))
        targets = Targets(values, present, queried=dict.fromkeys(live, batch))
        optimizer.zero_grad()
        objective(Features(hidden, (counts, hidden)), targets).total.backward()
        optimizer.step()
        runs = sum(teacher.forwards for teacher in live.values()) - before
        shares.append(1 - runs / (3 * 64))
    assert not any(shares[:15])
    for part in np.array_split(shares[15:], 3):
        assert np.mean(part) == pytest.approx(0.3, abs=0.03)
