"""Objectives with teachers that are asked during training, small."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from molkd import objectives
from molkd.objectives.diverse.objective import Diverse
from molkd.tensors import Features, QueryableTeacher, Targets
from tests.fakes.queryable_teachers import LetterTeacher
from tests.objectives import samples

ITEMS = ["CCO", "C", "OCCO", "CCCC", "N", "CO"]
OFF = dict.fromkeys(("student_weight", "anchor_weight", "balance_weight", "direct_weight"), 0.0)
ASK = {f"querying.{part}" for part in ("teachers", "match", "general", "decoders")}


def make_queryable(*names: str) -> dict[str, LetterTeacher]:
    return {name: LetterTeacher(name, seed) for seed, name in enumerate(names)}


def make_diverse(
    live: Mapping[str, QueryableTeacher], teachers: str = samples.NAMES, **options: Any
) -> Diverse:
    """An objective moved away from its special starting point."""
    torch.manual_seed(0)
    options = {"query_hidden": 16, "queried": tuple(live), **options}
    settings = objectives.configured("diverse", options)
    made = settings.build(samples.FEATURES, samples.specs(teachers), queryable=live)
    assert isinstance(made, Diverse)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def make_targets(
    live: Mapping[str, LetterTeacher], teachers: str = samples.NAMES, items: list[str] = ITEMS
) -> Targets:
    batches = {name: teacher.collate(items) for name, teacher in live.items()}
    return dataclasses.replace(samples.targets(samples.specs(teachers)), queried=batches)


def ask(
    objective: Diverse, features: Features, targets: Targets
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Who could be asked, importance, who was, answers."""
    present = torch.stack([targets.present[name] for name in objective.specs])
    able = objective._able(present, targets.queried)
    values = list(objective.clean(targets).values())
    state = features.layers[objective._layer].detach()
    return able, *objective._ask(state, values, able, targets.queried)


# Who learns
