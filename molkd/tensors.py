"""What student, bank and objective hand each other during training, as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from molkd.live import LiveBatch
from molkd.types import Support


@dataclass(frozen=True, slots=True)
class Nodes:
    """The parts of a batch's items, end to end: the atoms of its molecules.

    Attributes:
        layers: shape (a, d_l) each, states from shallow to deep.
        owner: shape (a,), the row each part belongs to, ascending.
    """

    layers: tuple[Tensor, ...]
    owner: Tensor


@dataclass(frozen=True, slots=True)
class Features:
    """What a student says about a batch.

    Attributes:
        embedding: shape (b, d).
        layers: shape (b, d_l) each, pooled states from shallow to deep; empty unless asked for.
        nodes: the states that were pooled; None unless asked for.
    """

    embedding: Tensor
    layers: tuple[Tensor, ...] = ()
    nodes: Nodes | None = None


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """The widths of a student's features.

    Attributes:
        embedding: width of the embedding.
        layers: width of each layer's state, from shallow to deep; empty where a student has none.
    """

    embedding: int
    layers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """The form in which one teacher reaches the objective.

    Attributes:
        dim: width after constant columns were dropped and PCA, if any, was applied.
        support: "real" for standardised values, "bits" and "counts" for values as they are.
        mean: shape (dim,), over the training rows; starts discrete densities at their marginal.
        weight: how much the teacher counts beside the others; their mean is 1.
        nodes: width of its standardised states of parts of an item; 0 where it gives none.
    """

    dim: int
    support: Support
    mean: Tensor
    weight: float = 1.0
    nodes: int = 0


@dataclass(frozen=True, slots=True)
class Targets:
    """Teacher rows of a batch.

    Attributes:
        values: teacher -> shape (b, d_k); rows that are not present are zero.
        present: teacher -> shape (b,), bool; False where the teacher failed.
        nodes: teacher -> shape (a, n_k), standardised states of the parts of the batch's items,
            in the student's order; NaN where the teacher has none. Empty unless asked for.
        live: teacher -> the items themselves, for teachers that are asked during training; they
            lie on their teacher's device.
    """

    values: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    nodes: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    live: Mapping[str, LiveBatch] = field(default_factory=dict[str, LiveBatch])

    def to(self, device: torch.device) -> Targets:
        """Returns the targets on a device; `live` stays with its teachers."""
        tables = (self.values, self.present, self.nodes)
        return Targets(
            *({key: one.to(device, non_blocking=True) for key, one in t.items()} for t in tables),
            live=self.live,
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """What an objective says about a batch.

    Attributes:
        total: shape (), what is minimised.
        parts: teacher -> shape (), detached, in the objective's unit; NaN where no row is present.
        facts: what else is worth logging -> shape (), detached; not among the teachers' names.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
    facts: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
