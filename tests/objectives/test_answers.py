"""Queries, answers, importance and filtering, each alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special, stats
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives.diverse.answers import (
    Attention,
    Gate,
    Querying,
    chosen,
    importance,
    shared,
)
from tests.objectives.references import as_numpy

ROWS, HIDDEN, ANSWER = 6, 10, 8

each = pytest.mark.parametrize("kind", ["gate", "attention"])


def _answering(kind: str, target: int = 7, pieces: int = 3) -> Gate | Attention:
    torch.manual_seed(0)
    sizes = (HIDDEN, target, ANSWER, HIDDEN)
    return Gate(*sizes) if kind == "gate" else Attention(*sizes, pieces)


def _querying() -> Querying:
    torch.manual_seed(0)
    return Querying(5, 3, HIDDEN, 4)


def test_teachers_that_change_places_are_asked_each_other_s_queries():
    querying, state = _querying(), torch.randn(ROWS, 5)
    before, relevance = querying(state), querying.relevance(state)
    with torch.no_grad():
        querying.teachers[[0, 2]] = querying.teachers[[2, 0]].clone()
    modules = list(querying.decoders)
    querying.decoders = nn.ModuleList([modules[2], modules[1], modules[0]])
    after = querying(state)
    for one, other in ((0, 2), (1, 1), (2, 0)):
        assert torch.equal(before[one], after[other])
        assert torch.equal(relevance[one], querying.relevance(state)[other])
    assert not torch.allclose(before[0], before[2], atol=1e-2)


def test_a_query_depends_on_item_and_on_the_teacher_s_vector():
    querying, state = _querying(), torch.randn(ROWS, 5)
    before = querying(state)
    assert not torch.allclose(before[0][0], before[0][1], atol=1e-2)
    with torch.no_grad():
        querying.teachers[1] += 1
    after = querying(state)
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_relevance_is_the_scaled_product_of_state_and_teacher():
    querying, state = _querying(), torch.randn(ROWS, 5)
    matched = as_numpy(querying.match(state))
    expected = as_numpy(querying.teachers) @ matched.T / math.sqrt(4)
    np.testing.assert_allclose(as_numpy(querying.relevance(state)), expected, rtol=1e-5)


@each
def test_an_answer_depends_on_the_query(kind: str):
    answering, target = _answering(kind), torch.randn(ROWS, 7)
    query = torch.randn(ROWS, HIDDEN)
    other = query.clone()
    other[0] += 1
    change = (answering(other, target) - answering(query, target)).abs().sum(dim=1)
    assert change[0] > 1e-3
    assert not change[1:].any()


@each
def test_an_answer_follows_what_the_teacher_said(kind: str):
    answering, query = _answering(kind), torch.randn(1, HIDDEN).expand(ROWS, -1)
    target, order = torch.randn(ROWS, 7), torch.tensor([3, 0, 5, 1, 2, 4])
    said = answering(query, target)
    torch.testing.assert_close(answering(query, target[order]), said[order])
    assert torch.pdist(said).min() > 1e-3


@each
@pytest.mark.parametrize("target", [1, 2, 5, 24, 100])
def test_answers_have_the_student_s_width_whatever_the_teacher_s(kind: str, target: int):
    answer = _answering(kind, target, pieces=8)(torch.randn(3, HIDDEN), torch.randn(3, target))
    assert answer.shape == (3, ANSWER)
    assert answer.isfinite().all()


@pytest.mark.parametrize("pieces", [1, 0, -2])
def test_attention_over_a_single_piece_is_refused(pieces: int):
    with pytest.raises(ConfigError, match=f"at least 2 pieces .* not {pieces}"):
        _answering("attention", pieces=pieces)


def _attended(module: Attention, query: Any, target: Any, pieces: int) -> Any:
    """One row's answer, one piece at a time."""
    w = {name: as_numpy(value) for name, value in module.state_dict().items()}

    def linear(name: str, value: Any) -> Any:
        return w[f"{name}.weight"] @ value + w[f"{name}.bias"]

    length = math.ceil(len(target) / pieces)
    padded = np.concatenate([target, np.zeros(length * pieces - len(target))])
    cut = [padded[i * length : (i + 1) * length] for i in range(pieces)]
    query = linear("query", query)
    keys = [linear("key", p) + w["positions"][i] for i, p in enumerate(cut)]
    values = [linear("value", p) + w["positions"][i] for i, p in enumerate(cut)]
    weights = special.softmax([k @ query / math.sqrt(HIDDEN) for k in keys])
    state = sum(weight * value for weight, value in zip(weights, values, strict=True))
    state = (state - state.mean()) / np.sqrt(state.var() + 1e-5)
    state = state * w["answer.0.weight"] + w["answer.0.bias"]
    return linear("answer.2", state * stats.norm.cdf(state))


@pytest.mark.parametrize(("target", "pieces"), [(7, 3), (6, 3), (7, 2), (2, 5)])
def test_attention_is_that_of_a_slow_reference(target: int, pieces: int):
    module = _answering("attention", target, pieces)
    assert isinstance(module, Attention)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    query, said = torch.randn(ROWS, HIDDEN), torch.randn(ROWS, target)
    answers = as_numpy(module(query, said))
    for row in range(ROWS):
        expected = _attended(module, as_numpy(query[row]), as_numpy(said[row]), pieces)
        np.testing.assert_allclose(answers[row], expected, rtol=1e-4, atol=1e-5)


def _relevance() -> tuple[Tensor, Tensor]:
    """Of 3 teachers; item 1 lacks one, item 2 two, item 3 all."""
    rng = torch.Generator().manual_seed(0)
    present = torch.ones(3, ROWS, dtype=torch.bool)
    present[0, 1] = present[0, 2] = present[2, 2] = False
    present[:, 3] = False
    return 2 * torch.randn(3, ROWS, generator=rng), present


@pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
def test_importance_is_a_softmax_over_the_teachers_that_are_present(temperature: float):
    relevance, present = _relevance()
    weights = importance(relevance, present, temperature)
    assert (weights >= 0).all()
    assert not weights[~present].any()
    torch.testing.assert_close(weights.sum(dim=0), present.any(dim=0).float())
    for b in np.flatnonzero(present.any(dim=0).numpy()):
        here = present[:, b].numpy()
        expected = special.softmax(relevance[:, b].double().numpy()[here] / temperature)
        np.testing.assert_allclose(weights[:, b].numpy()[here], expected, rtol=1e-4, atol=1e-7)


def test_importance_survives_large_relevance_and_half_precision():
    relevance, present = _relevance()
    for scores in (1e4 * relevance, relevance.bfloat16()):
        weights = importance(scores, present, 1.0)
        assert weights.dtype == torch.float32
        assert weights.isfinite().all()
        torch.testing.assert_close(weights.sum(dim=0), present.any(dim=0).float())


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 2.0])
def test_who_is_asked_has_weight_enough_or_most_of_all(threshold: float):
    relevance, present = _relevance()
    weights = importance(relevance, present, 1.0)
    asked = chosen(weights, present, torch.tensor(threshold))
    for b in range(ROWS):
        here = [i for i in range(3) if present[i, b]]
        first = max(here, key=lambda i: weights[i, b].item(), default=None)
        for i in range(3):
            expected = i in here and (i == first or weights[i, b].item() >= threshold)
            assert asked[i, b].item() == expected


def test_shares_of_those_who_are_asked_sum_to_1():
    relevance, present = _relevance()
    weights = importance(relevance, present, 1.0)
    asked = present & (weights < 0.6)
    shares = shared(weights, asked)
    assert not shares[~asked].any()
    torch.testing.assert_close(shares.sum(dim=0), asked.any(dim=0).float())
    ratio = shares[:, 0][asked[:, 0]] / weights[:, 0][asked[:, 0]]
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))
