"""What student, bank and objective hand each other during training, as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, cast, runtime_checkable

import torch
from torch import Tensor

from molkd.errors import ConfigError
from molkd.types import Support, Teacher


class QueryBatch(Protocol):
    """Items in the form that one queryable teacher reads."""

    @property
    def present(self) -> Tensor:
        """Shape (b,), bool; False where the teacher cannot read the item."""
        ...

    def __len__(self) -> int: ...

    def select(self, rows: Tensor) -> Self:
        """Returns some items, shape (k,) of integers, in this order."""
        ...

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        ...


@runtime_checkable
class QueryableTeacher(Protocol):
    """A frozen network that answers queries about items.

    It stays in evaluation mode, whatever is trained beside it, and only the query gets a
    gradient. Batch, query and answer lie on the teacher's device.
    """

    @property
    def name(self) -> str:
        """That of its card."""
        ...

    @property
    def dim(self) -> int:
        """Width of an answer, and of the embedding."""
        ...

    @property
    def query_dim(self) -> int:
        """Width of a query: that of the hidden state where it enters."""
        ...

    @property
    def device(self) -> torch.device:
        """Where its network lies."""
        ...

    @property
    def forwards(self) -> int:
        """Molecules that were run so far; those that are absent do not count."""
        ...

    def collate(self, items: Sequence[str]) -> QueryBatch:
        """Returns items as tensors on the CPU; safe in a thread beside `answer`."""
        ...

    def answer(self, batch: QueryBatch, query: Tensor | None) -> Tensor:
        """Asks about every item of a batch.

        Args:
            batch: what `collate` made, or a part of it.
            query: shape (b, query_dim); None asks for the ordinary embedding.

        Returns:
            Shape (b, dim), float32; zero where an item is not present.

        Raises:
            ShapeError: the query has another shape.
        """
        ...


QueryableTeachers = Mapping[str, QueryableTeacher]
"""Name of a teacher -> the same teacher, which can be asked."""


def as_queryable(teacher: Teacher[Any], *, layer: int | None = None) -> QueryableTeacher:
    """Returns a teacher as one that answers queries during training.

    Args:
        teacher: one with a method `queryable`.
        layer: before which of its layers a query enters, from 0; None is the middle of a
            transformer and the last but one of a graph network.

    Raises:
        ConfigError: it cannot, or has no such layer.
        WeightsError: its weights are missing.
    """
    queryable = getattr(teacher, "queryable", None)
    if not callable(queryable):
        raise ConfigError(
            f"teacher {teacher.card.name!r} cannot answer queries: graph networks (hu-..., "
            "molclr-gcn) and transformers (hf:...) can"
        )
    return cast("QueryableTeacher", queryable(layer=layer))


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
        queried: teacher -> the items themselves, for teachers that are asked during training; they
            lie on their teacher's device.
    """

    values: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    nodes: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    queried: Mapping[str, QueryBatch] = field(default_factory=dict[str, QueryBatch])

    def to(self, device: torch.device) -> Targets:
        """Returns the targets on a device; `queried` stays with its teachers."""
        tables = (self.values, self.present, self.nodes)
        return Targets(
            *({key: one.to(device, non_blocking=True) for key, one in t.items()} for t in tables),
            queried=self.queried,
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
