"""A live teacher without any chemistry: a small frozen network that reads a text's letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import Tensor, nn

from molkd.tensors import QueryBatch


@dataclass(frozen=True)
class Letters:
    """Counts of letters, shape (b, 3), and who is there, shape (b,)."""

    counts: Tensor
    present: Tensor

    def __len__(self) -> int:
        return len(self.present)

    def select(self, rows: Tensor) -> Self:
        return type(self)(self.counts[rows], self.present[rows])

    def to(self, device: torch.device) -> Self:
        return type(self)(self.counts.to(device), self.present.to(device))


class LetterTeacher(nn.Module):
    """Answers by its network; being a module, it would be trained if an objective took it in."""

    dim = 6
    query_dim = 4
    device = torch.device("cpu")

    def __init__(self, name: str = "real", seed: int = 0) -> None:
        super().__init__()
        self.name = name
        self.forwards = 0
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = nn.Sequential(nn.Linear(7, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 6))
        self.eval().requires_grad_(requires_grad=False)

    def collate(self, items: Sequence[str]) -> Letters:
        counts = [[len(item), item.count("C"), item.count("O")] for item in items]
        present = torch.tensor([bool(item) for item in items], dtype=torch.bool)
        return Letters(torch.tensor(counts).float().view(-1, 3) / 4, present)

    def answer(self, batch: QueryBatch, query: Tensor | None) -> Tensor:
        ours = cast("Letters", batch)
        self.forwards += int(batch.present.sum())
        asked = torch.zeros(len(batch), self.query_dim) if query is None else query
        said = cast("Tensor", self.net(torch.cat([ours.counts, asked], dim=1)))
        return torch.where(batch.present[:, None], said, 0.0)
