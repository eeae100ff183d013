"""The states of a text's tokens as one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from molkd.teachers.hub.modules_json import Mode


def pool(hidden: Tensor, content: Tensor, modes: Sequence[Mode]) -> Tensor:
    """Pools states over the tokens that count, and joins the results.

    A text without a single such token has no row: refuse it before.

    Args:
        hidden: shape (b, t, d).
        content: shape (b, t), bool; True for tokens that count, never for padding, which is on
            the right.
        modes: "cls" is the first token that counts and "lasttoken" the last one;
            "mean_sqrt_len_tokens" is the sum over the square root of their number; "weightedmean"
            weighs a token with its position in the text, from 1, prompt included.

    Returns:
        Shape (b, d * len(modes)).
    """
    return torch.cat([_pool(hidden, content, mode) for mode in modes], dim=1)


def _pool(hidden: Tensor, content: Tensor, mode: Mode) -> Tensor:
    rows = torch.arange(len(hidden), device=hidden.device)
    counted = content.to(hidden.dtype).unsqueeze(-1)
    positions = torch.arange(1, hidden.shape[1] + 1, device=hidden.device)
    if mode == "cls":
        return hidden[rows, content.int().argmax(dim=1)]
    if mode == "lasttoken":
        return hidden[rows, (positions * content).argmax(dim=1)]
    if mode == "max":
        return hidden.masked_fill(~content.unsqueeze(-1), float("-inf")).amax(dim=1)
    if mode == "weightedmean":
        counted = counted * positions.to(hidden.dtype).unsqueeze(-1)
    total, weight = (hidden * counted).sum(dim=1), counted.sum(dim=1)
    return total / (weight.sqrt() if mode == "mean_sqrt_len_tokens" else weight)
