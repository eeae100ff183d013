"""A small student, what it learns, and which entries its gradient comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from molkd.benchmarks.studies.likelihood import synthetic
from molkd.objectives import Objective
from molkd.objectives.headwise import HeadwiseObjective
from molkd.tensors import Features, FeatureSpec, Loss, Targets

HIDDEN = 64
"""Width of the student's hidden layers."""

_ASKED = 512  # rows on which the share of the gradient is read


class SyntheticStudent(nn.Module):
    """Features to embedding, by two hidden layers."""

    def __init__(self, width: int) -> None:
        """Builds the network for an embedding of this width."""
        super().__init__()
        self.lower = nn.Sequential(nn.Linear(synthetic.FEATURES, HIDDEN), nn.GELU())
        self.upper = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.GELU())
        self.last = nn.Linear(HIDDEN, width)

    def forward(self, x: Tensor) -> Features:
        """Shape (b, 64) to an embedding and two layers."""
        lower = cast("Tensor", self.lower(x))
        upper = cast("Tensor", self.upper(lower))
        return Features(cast("Tensor", self.last(upper)), (lower, upper))

    @property
    def spec(self) -> FeatureSpec:
        """The widths of what it says."""
        return FeatureSpec(self.last.out_features, (HIDDEN, HIDDEN))


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticTask:
    """What is learnt, by row.

    Attributes:
        x: shape (m, 64), features of the rows to learn from and of fresh ones.
        values: teacher -> shape (n, d).
        marked: teacher -> shape (n, d), bool; see `synthetic.SyntheticTeacher`.
    """

    x: Tensor
    values: Mapping[str, Tensor]
    marked: Mapping[str, Tensor]

    @property
    def rows(self) -> int:
        """How many rows there are to learn from."""
        return len(next(iter(self.values.values())))

    def targets(self, rows: Tensor) -> Targets:
        """What the teachers say about some of them."""
        present = torch.ones(len(rows), dtype=torch.bool)
        return Targets(
            {name: value[rows] for name, value in self.values.items()},
            dict.fromkeys(self.values, present),
        )


def gradient_share(
    student: SyntheticStudent, objective: Objective, task: SyntheticTask
) -> float | None:
    """Returns the share of the squared gradient of the embedding that marked entries cause.

    The gradient of a row's embedding is a sum over what its heads put out; it is split into what
    comes from outputs for marked entries and for the others, and their squared lengths compared.

    Args:
        student: says the embedding.
        objective: has a head per teacher, or there is no answer.
        task: says which entries are marked.
    """
    rows = torch.arange(min(_ASKED, task.rows))
    marked = {name: mark[rows] for name, mark in task.marked.items()}
    if not isinstance(objective, HeadwiseObjective) or not any(m.any() for m in marked.values()):
        return None
    with torch.no_grad():
        features = cast("Features", student(task.x[rows]))
    features = replace(features, embedding=features.embedding.requires_grad_())
    outputs, total = _heard(objective, features, task.targets(rows))
    values = list(outputs.values())
    slopes = torch.autograd.grad(total, values, retain_graph=True)
    squares: list[float] = []
    for of_marked in (True, False):
        chosen = [
            slope * _tiled(marked[name] == of_marked, slope.shape[1])
            for name, slope in zip(outputs, slopes, strict=True)
        ]
        (gradient,) = torch.autograd.grad(values, features.embedding, chosen, retain_graph=True)
        squares.append(float(gradient.double().square().sum()))
    return squares[0] / sum(squares) if sum(squares) > 0 else None


def _heard(
    objective: HeadwiseObjective, features: Features, targets: Targets
) -> tuple[dict[str, Tensor], Tensor]:
    """What each head puts out, and the loss; training goes on as if nobody had looked."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            outputs[name] = output

        return hook

    hooks = [objective.head(name).register_forward_hook(keep(name)) for name in targets.values]
    state = torch.get_rng_state()
    total = cast("Loss", objective(features, targets)).total
    torch.set_rng_state(state)
    for hook in hooks:
        hook.remove()
    return outputs, total


def _tiled(marked: Tensor, outputs: int) -> Tensor:
    """Marks of a head's outputs: means, then scales, of all dimensions."""
    return marked.repeat(1, outputs // marked.shape[1])
