"""Small teachers of every support, and the features of a student that has never seen them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from molkd import objectives
from molkd.objectives import Objective
from molkd.tensors import Features, FeatureSpec, Nodes, Targets, TargetSpec

WIDTH, BATCH = 8, 6
ATOMS = (3, 1, 4, 2, 5, 1)
"""Parts of each item of the batch."""

FEATURES = FeatureSpec(WIDTH, (12, 10, 6))
NAMES = "real bits counts"


def specs(names: str = NAMES, **changes: Any) -> dict[str, TargetSpec]:
    """Teachers by name; "atoms" also gives states of parts."""
    known = {
        "real": TargetSpec(5, "real", torch.zeros(5)),
        "bits": TargetSpec(7, "bits", torch.linspace(0.05, 0.6, 7)),
        "counts": TargetSpec(4, "counts", torch.tensor([0.2, 1.0, 3.0, 60.0])),
        "other": TargetSpec(3, "real", torch.zeros(3), **changes),
        "atoms": TargetSpec(5, "real", torch.zeros(5), nodes=4),
    }
    return {name: known[name] for name in names.split()}


def targets(wanted: Mapping[str, TargetSpec] | None = None, seed: int = 0) -> Targets:
    """Random values in the form of each spec, all present."""
    wanted = specs() if wanted is None else wanted
    rng = torch.Generator().manual_seed(seed)
    draw = {
        "real": lambda shape: torch.randn(shape, generator=rng),
        "bits": lambda shape: (torch.rand(shape, generator=rng) < 0.3).float(),
        "counts": lambda shape: torch.poisson(torch.full(shape, 2.0), generator=rng),
    }
    values = {name: draw[spec.support]((BATCH, spec.dim)) for name, spec in wanted.items()}
    present = {name: torch.ones(BATCH, dtype=torch.bool) for name in wanted}
    nodes = {
        name: torch.randn(sum(ATOMS), spec.nodes, generator=rng)
        for name, spec in wanted.items()
        if spec.nodes
    }
    return Targets(values, present, nodes)


def features(seed: int = 1) -> Features:
    """Random features with gradients, layers and parts."""
    rng = torch.Generator().manual_seed(seed)

    def draw(rows: int, width: int) -> torch.Tensor:
        return torch.randn(rows, width, generator=rng).requires_grad_()

    owner = torch.repeat_interleave(torch.arange(BATCH), torch.tensor(ATOMS))
    return Features(
        draw(BATCH, WIDTH),
        tuple(draw(BATCH, width) for width in FEATURES.layers),
        Nodes(tuple(draw(sum(ATOMS), width) for width in FEATURES.layers), owner),
    )


def objective(
    name: str, wanted: Mapping[str, TargetSpec] | None = None, **options: object
) -> Objective:
    """An objective with small heads, moved away from its special starting point."""
    small: dict[str, object] = {"query_hidden": 16} if name == "diverse" else {"head_hidden": 16}
    torch.manual_seed(0)
    settings = objectives.configured(name, {**small, **options})
    made = settings.build(FEATURES, specs() if wanted is None else wanted)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made
