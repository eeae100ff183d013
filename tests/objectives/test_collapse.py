"""What becomes of a student that learns by queries: the two collapses, and a noise teacher."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from molkd import objectives
from molkd.tensors import Features, FeatureSpec, Targets, TargetSpec

INPUT, WIDTH, TEACHERS, TRAIN, HELD, STEPS = 12, 16, 3, 1024, 512, 150


class Trained:
    """A small student, its teachers, and what training left."""

    def __init__(self, options: dict[str, Any], *, noise: bool = False) -> None:
        torch.manual_seed(0)
        x = torch.randn(TRAIN + HELD, INPUT)
        networks = [
            nn.Sequential(nn.Linear(INPUT, 24), nn.Tanh(), nn.Linear(24, 12))
            for _ in range(TEACHERS)
        ]
        values = {f"t{n}": _standard(net(x).detach()) for n, net in enumerate(networks)}
        if noise:
            values["t2"] = torch.randn(TRAIN + HELD, 12)
        specs = {name: TargetSpec(12, "real", torch.zeros(12)) for name in values}
        lower = nn.Sequential(nn.Linear(INPUT, 32), nn.GELU())
        upper = nn.Linear(32, WIDTH)
        settings = objectives.configured(
            "diverse", {"query_hidden": 32, "teacher_dim": 8, **options}
        )
        self.objective = settings.build(FeatureSpec(WIDTH, (32,)), specs)
        modules = nn.ModuleList([lower, upper, self.objective])
        optimizer = torch.optim.Adam(modules.parameters(), lr=6e-3)
        self.facts: dict[str, float] = {}
        for step in range(STEPS):
            rows = torch.randint(TRAIN, (64,))
            self.objective.at(step / STEPS)
            state = lower(x[rows])
            there = {name: torch.ones(64, dtype=torch.bool) for name in values}
            targets = Targets({name: value[rows] for name, value in values.items()}, there)
            loss = self.objective(Features(upper(state), (state,)), targets)
            optimizer.zero_grad()
            loss.total.backward()
            optimizer.step()
            self.facts = {name: float(fact) for name, fact in loss.facts.items()}
        self.embedding = upper(lower(x)).detach()
        self.values = values

    def importance(self) -> list[float]:
        """Mean importance of each teacher in the last batch."""
        return [self.facts[f"importance {name}"] for name in self.values]

    def r2(self, name: str) -> float:
        """Of a linear map from the embedding, on rows that nothing was fitted on."""
        z = torch.cat([self.embedding, torch.ones(TRAIN + HELD, 1)], dim=1)
        t = self.values[name]
        guess = z[TRAIN:] @ torch.linalg.lstsq(z[:TRAIN], t[:TRAIN]).solution
        errors = (guess - t[TRAIN:]).square().sum()
        return 1 - float(errors / (t[TRAIN:] - t[TRAIN:].mean(0)).square().sum())


def _standard(values: Tensor) -> Tensor:
    return (values - values.mean(dim=0)) / values.std(dim=0)


@cache
def _trained(importance: str, *, noise: bool = False) -> Trained:
    return Trained({"importance": importance}, noise=noise)


def test_without_anchors_an_embedding_hardly_spreads():
    anchored = _trained("leave-one-out").embedding.std(dim=0).mean()
    free = Trained({"anchor_weight": 0.0, "direct_weight": 0.0}).embedding.std(dim=0).mean()
    assert anchored > 0.3
    assert free < 0.3 * anchored


@pytest.mark.parametrize("importance", ["leave-one-out", "mixture"])
def test_no_teacher_of_three_alike_takes_all_importance(importance: str):
    assert max(_trained(importance).importance()) < 0.9


def test_a_noise_teacher_has_no_importance_and_does_no_harm():
    anchored, uniform = (_trained(kind, noise=True) for kind in ("leave-one-out", "uniform"))
    assert anchored.importance()[2] < 0.1
    assert uniform.importance()[2] == pytest.approx(1 / 3)
    for name in ("t0", "t1"):
        assert anchored.r2(name) > uniform.r2(name) - 0.01
