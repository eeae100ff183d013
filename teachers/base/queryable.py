"""What teachers that answer queries share: absent rows, counting runs, where a query enters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import torch
from rdkit import Chem
from torch import Tensor

from molkd.errors import ConfigError, ShapeError
from molkd.items.molecules.chem import Molecule
from molkd.tensors import QueryBatch

Batch = TypeVar("Batch", bound=QueryBatch)

Read = Callable[[Sequence[Molecule]], tuple[list[Chem.Mol], list[int], dict[int, str]]]
"""Items -> the molecules that can be read, their rows, and row -> reason for the others."""


class QueryableNetwork(ABC, Generic[Batch]):
    """A frozen network that answers queries; see `molkd.tensors.QueryableTeacher`.

    Attributes:
        name: that of the teacher's card.
        dim: width of an answer.
        query_dim: width of a query.
        device: where its network lies.
        layer: before which the query enters, from 0.
        forwards: molecules that were run so far.
    """

    def __init__(
        self, name: str, *, dim: int, query_dim: int, device: torch.device, layer: int
    ) -> None:
        self.name = name
        self.dim = dim
        self.query_dim = query_dim
        self.device = device
        self.layer = layer
        self.forwards = 0

    @abstractmethod
    def _embed(self, batch: Batch) -> Tensor:
        """Embeds the items that are present; shape (present items, dim)."""

    @abstractmethod
    def _ask(self, batch: Batch, query: Tensor) -> Tensor:
        """Answers the queries about the items that are present; shape (present items, dim)."""

    def answer(self, batch: QueryBatch, query: Tensor | None) -> Tensor:
        """Asks about every item of a batch; see `molkd.tensors.QueryableTeacher`."""
        ours = cast("Batch", batch)
        present = batch.present
        if query is not None and query.shape != (len(batch), self.query_dim):
            raise ShapeError(
                f"query of shape {tuple(query.shape)} to teacher {self.name!r}, expected "
                f"({len(batch)}, {self.query_dim})"
            )
        rows = present.nonzero().squeeze(1)
        answers = torch.zeros(len(batch), self.dim, device=present.device)
        if not len(rows):
            return answers
        self.forwards += len(rows)
        with torch.autocast(present.device.type, enabled=False):
            if query is None:
                with torch.no_grad():
                    present_answers = self._embed(ours)
            else:
                present_answers = self._ask(ours, query[rows].float())
        return answers.index_copy(0, rows, present_answers)


def places_of(present: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Returns where rows of a batch are among the items that are present.

    Args:
        present: shape (b,), bool.
        rows: shape (k,), integers.

    Returns:
        Shape (k,), whether each of the rows is present; and the places of those that are, counted
        among all that are.
    """
    there = present[rows]
    return there, (present.cumsum(0) - 1)[rows][there]


def entry_layer(layer: int | None, count: int, *, lowest: int = 0, who: Any) -> int:
    """Returns the layer before which the query enters.

    Raises:
        ConfigError: the network has no such layer.
    """
    first = max(count // 2, lowest) if layer is None else layer
    if not lowest <= first < count:
        raise ConfigError(
            f"layer={first}: the query to {who} enters before one of its layers {lowest} to "
            f"{count - 1}"
            if lowest < count
            else f"{who} has {count} layers, {lowest + 1} are needed for a query to enter"
        )
    return first
