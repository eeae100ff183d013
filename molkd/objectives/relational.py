"""The relational term: items that are alike for a teacher shall be alike for the student.

Source: Park et al. 2019, "Relational Knowledge Distillation" (CVPR; arXiv 1904.05068), in the form
of in-batch cosine similarities.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def relational(embedding: Tensor, target: Tensor, present: Tensor) -> Tensor:
    """Mean squared difference between the similarities of a batch to student and to teacher.

    Both sides are centred over the rows that are present; similarities are cosines.

    Args:
        embedding: shape (b, d).
        target: shape (b, k); rows that are not present do not count.
        present: shape (b,), bool.

    Returns:
        Shape (), float32, in [0, 4]; zero with fewer than two rows.
    """
    pairs = present[:, None] & present[None, :]
    pairs = pairs & ~torch.eye(len(present), dtype=torch.bool, device=present.device)
    differences = _similarities(embedding, present) - _similarities(target, present)
    squares = torch.where(pairs, differences.square(), 0.0)
    return squares.sum() / pairs.sum().clamp(min=1)


def _similarities(values: Tensor, present: Tensor) -> Tensor:
    values = torch.where(present[:, None], values.float(), 0.0)
    mean = values.sum(dim=0) / present.sum().clamp(min=1)
    centred = functional.normalize(torch.where(present[:, None], values - mean, 0.0), eps=1e-6)
    with torch.autocast(values.device.type, enabled=False):
        return centred @ centred.T
