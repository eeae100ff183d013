"""Queries to teachers and their answers in the student's space, for `objectives.diverse`.

A frozen teacher that was read into a bank cannot be asked again: what it said is the knowledge
that a query is asked about. Attention over a single remembered vector would not depend on the
query (a softmax over one key is 1), hence a gate, or attention over several pieces. A queryable
teacher is run: the query enters its network beside the item.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.tensors import QueryableTeacher, QueryBatch

_QUIET = 0.1
"""Scale at which queries start: what a teacher answers is about the item first."""


class Querying(nn.Module):
    """Asks every teacher about every item, and guesses from the item who is worth asking."""

    def __init__(self, width: int, teachers: int, hidden: int, teacher_dim: int) -> None:
        """Builds the query augmenter.

        Args:
            width: of the student's state x.
            teachers: how many.
            hidden: width of its networks and of a query.
            teacher_dim: width of the learnt vector of a teacher.
        """
        super().__init__()
        self.teachers = nn.Parameter(torch.randn(teachers, teacher_dim))
        self.match = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, teacher_dim)
        )
        self.general = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.decoders = nn.ModuleList(
            nn.Linear(hidden + teacher_dim, hidden) for _ in range(teachers)
        )

    def relevance(self, state: Tensor) -> Tensor:
        """Shape (teachers, b): scaled products of state and teacher vector, before the softmax."""
        matched = cast("Tensor", self.match(state))
        return self.teachers @ matched.T / math.sqrt(self.teachers.shape[1])

    def forward(self, state: Tensor) -> list[Tensor]:
        """Shape (b, hidden) per teacher: its queries."""
        general = cast("Tensor", self.general(state))
        rows = len(state)
        return [
            decoder(torch.cat([general, teacher.expand(rows, -1)], dim=1))
            for decoder, teacher in zip(self.decoders, self.teachers, strict=True)
        ]


class Gate(nn.Module):
    """What a teacher said, gated by the query, in the student's space."""

    def __init__(self, query: int, target: int, answer: int, hidden: int) -> None:
        super().__init__()
        self.value = nn.Linear(target, hidden)
        self.gate = nn.Linear(query, hidden)
        self.answer = nn.Sequential(nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, answer))

    def forward(self, query: Tensor, target: Tensor) -> Tensor:
        """Shape (b, answer)."""
        return cast("Tensor", self.answer(self.value(target) * torch.sigmoid(self.gate(query))))


class Attention(nn.Module):
    """What a teacher said, cut into pieces that the query attends to."""

    def __init__(self, query: int, target: int, answer: int, hidden: int, pieces: int) -> None:
        super().__init__()
        if pieces < 2:
            raise ConfigError(
                f"attention needs at least 2 pieces of what a teacher said, not {pieces}: over a "
                "single one the answer does not depend on the query"
            )
        self._length = -(-target // pieces)
        self._pieces = pieces
        self.positions = nn.Parameter(0.02 * torch.randn(pieces, hidden))
        self.key = nn.Linear(self._length, hidden)
        self.value = nn.Linear(self._length, hidden)
        self.query = nn.Linear(query, hidden)
        self.answer = nn.Sequential(nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, answer))

    def forward(self, query: Tensor, target: Tensor) -> Tensor:
        """Shape (b, answer)."""
        padding = self._length * self._pieces - target.shape[1]
        pieces = nn.functional.pad(target, (0, padding)).unflatten(1, (self._pieces, self._length))
        keys = self.key(pieces) + self.positions
        values = self.value(pieces) + self.positions
        scores = (keys * self.query(query)[:, None]).sum(-1) / math.sqrt(keys.shape[-1])
        chosen = (scores.softmax(dim=1)[..., None] * values).sum(dim=1)
        return cast("Tensor", self.answer(chosen))


class QueriedAnswer(nn.Module):
    """What a teacher says to a query that enters its network, in the student's space.

    The teacher is no part of the module: it comes with every call, is not trained and not saved.
    """

    def __init__(self, query: int, teacher: QueryableTeacher, answer: int, hidden: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(_QUIET))
        self.ask = nn.Linear(query, teacher.query_dim)
        self.answer = nn.Sequential(
            nn.LayerNorm(teacher.dim),
            nn.Linear(teacher.dim, hidden),
            nn.GELU(),
            nn.Linear(hidden, answer),
        )

    def forward(
        self, query: Tensor, teacher: QueryableTeacher, items: QueryBatch, asked: Tensor
    ) -> Tensor:
        """Runs the teacher on the items that it is asked about, and on no other.

        Args:
            query: shape (b, query).
            teacher: to be asked.
            items: all of the batch.
            asked: shape (b,), bool.

        Returns:
            Shape (b, answer); zero for the other items.
        """
        rows = asked.nonzero().squeeze(1)
        put = (self.scale * self.ask(query[rows])).float().to(teacher.device)
        response = teacher.answer(items.select(rows.to(teacher.device)), put)
        projected = cast("Tensor", self.answer(response.to(query.device))).float()
        return projected.new_zeros(len(asked), projected.shape[1]).index_copy(0, rows, projected)


def importance(relevance: Tensor, present: Tensor, temperature: float) -> Tensor:
    """Shape (teachers, b): a softmax over the teachers that are present; 0 where none is.

    Args:
        relevance: shape (teachers, b).
        present: shape (teachers, b), bool.
        temperature: above 0; the higher, the more alike.
    """
    scores = torch.where(present, relevance.float() / temperature, -1e9)
    return torch.where(present, scores.softmax(dim=0), 0.0)


def chosen(weights: Tensor, present: Tensor, threshold: Tensor) -> Tensor:
    """Shape (teachers, b), bool: teachers whose weight reaches a threshold, and the heaviest.

    Args:
        weights: shape (teachers, b), of `importance`.
        present: shape (teachers, b), bool.
        threshold: shape ().
    """
    heaviest = torch.where(present, weights, -1.0).argmax(dim=0, keepdim=True)
    return present & (weights >= threshold).scatter(0, heaviest, value=True)


def shared(weights: Tensor, among: Tensor) -> Tensor:
    """Shape (teachers, b): weights that sum to 1 over some teachers; 0 where there are none."""
    part = weights * among
    return part / part.sum(dim=0, keepdim=True).clamp(min=1e-12)
