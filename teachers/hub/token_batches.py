"""Token sequences of a batch as padded tensors, and the pooling of their hidden states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from molkd.teachers.base.precision import no_tf32
from molkd.teachers.base.queryable import places_of
from molkd.teachers.hub.modules_json import Mode
from molkd.teachers.hub.pooling import pool
from molkd.teachers.hub.tokens import Tokens
from molkd.types import Matrix

Pooling = Literal["mean", "cls", "last"]
_MODES: dict[Pooling, Mode] = {"mean": "mean", "cls": "cls", "last": "lasttoken"}


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """The tokens of b items.

    Attributes:
        ids: shape (p, t), of the p items that are present, padded on the right.
        mask: shape (p, t); 1 for tokens, 0 for padding.
        content: shape (p, t), bool; True for tokens that stand for a piece of the molecule.
        present: shape (b,), bool.
    """

    ids: Tensor
    mask: Tensor
    content: Tensor
    present: Tensor

    @classmethod
    def of(cls, sequences: Sequence[Tokens], pad: int, present: Tensor | None = None) -> TokenBatch:
        """Pads sequences.

        Args:
            sequences: of the items that are present.
            pad: token that stands where there is none.
            present: see the class; by default all items are.
        """
        shape = (len(sequences), max((len(tokens.ids) for tokens in sequences), default=0))
        ids = torch.full(shape, pad, dtype=torch.long)
        mask = torch.zeros(shape, dtype=torch.long)
        content = torch.zeros(shape, dtype=torch.bool)
        for row, tokens in enumerate(sequences):
            length = len(tokens.ids)
            ids[row, :length] = torch.tensor(tokens.ids)
            mask[row, :length] = 1
            content[row, :length] = torch.tensor(tokens.content)
        if present is None:
            present = torch.ones(len(sequences), dtype=torch.bool)
        return cls(ids, mask, content, present)

    def __len__(self) -> int:
        return len(self.present)

    def select(self, rows: Tensor) -> TokenBatch:
        """Returns some items, in the order given, without padding that none of them needs."""
        present, places = places_of(self.present, rows)
        mask = self.mask[places]
        longest = int(mask.sum(dim=1).max()) if len(mask) else 0
        ids, content = self.ids[places], self.content[places]
        return TokenBatch(ids[:, :longest], mask[:, :longest], content[:, :longest], present)

    def to(self, device: torch.device) -> TokenBatch:
        """Returns the batch on a device."""
        tables = (self.ids, self.mask, self.content, self.present)
        return TokenBatch(*(table.to(device) for table in tables))


@torch.inference_mode()
@no_tf32()
def embed_by_length(
    sequences: Mapping[int, Tokens],
    shape: tuple[int, int],
    batch_size: int,
    encode: Callable[[list[Tokens]], Tensor],
) -> Matrix:
    """Embeds sequences in batches of like length, so that little is spent on padding.

    Args:
        sequences: row -> tokens.
        shape: rows and dimensions; rows without tokens are NaN.
        batch_size: sequences per forward pass.
        encode: b sequences -> shape (b, dimensions).
    """
    values = np.full(shape, np.nan, dtype=np.float32)
    order = sorted(sequences, key=lambda row: len(sequences[row].ids))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        values[rows] = encode([sequences[row] for row in rows]).cpu().numpy()
    return values


def pooled(hidden: Tensor, mask: Tensor, content: Tensor, pooling: Pooling) -> Tensor:
    """Pools hidden states over the tokens of each sequence.

    Args:
        hidden: shape (b, t, d).
        mask: shape (b, t); 1 for tokens, 0 for padding on the right.
        content: shape (b, t), bool; True for tokens that stand for a piece of the molecule.
        pooling: "mean" over content, "cls" or "last".

    Returns:
        Shape (b, d).
    """
    counted = content if pooling == "mean" else mask.bool()
    return pool(hidden, counted, [_MODES[pooling]])
