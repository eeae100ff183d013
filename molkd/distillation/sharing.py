"""How several processes share the batches of one training; see `molkd.runtime.distributed`.

Every process holds the same weights. Of each batch it learns from its own rows; what that changes
is averaged by rows, and all take the same step. A process that was started alone has all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from molkd.runtime import distributed, launch
from molkd.tensors import Loss
from molkd.types import Rows


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a batch that one process learns from.

    Attributes:
        rows: at least one; where a batch has fewer rows than there are processes, some take one
            that counts nothing, so that all do the same.
        share: of the rows of the batch, in [0, 1].
        count: rows of the whole batch.
    """

    rows: Rows
    share: float
    count: int

    @classmethod
    def of(cls, batch: Rows) -> Part:
        """Returns the part of this process."""
        own = batch[distributed.share(len(batch))]
        return cls(own if len(own) else batch[:1], len(own) / len(batch), len(batch))


def reseed(seed: int, step: int) -> None:
    """Gives each process random numbers of its own for a step, where there are several.

    They follow from seed, step and process, so that no checkpoint has to hold the states of all.
    """
    if distributed.several():
        words = np.random.SeedSequence([seed, step, launch.rank()]).generate_state(1, np.uint64)
        torch.manual_seed(int(words[0]))


class Changes:
    """What a step changes in some modules, averaged over processes: gradients and buffers."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        """Takes modules that are the same in all processes."""
        modules = list(modules)
        self._parameters = [p for m in modules for p in m.parameters() if p.requires_grad]
        self._buffers = [b for m in modules for b in m.buffers() if b.is_floating_point()]
        self._before: list[Tensor] = []

    def begin(self) -> None:
        """Remembers the buffers, such as running means, before a step."""
        if distributed.several():
            self._before = [buffer.clone() for buffer in self._buffers]

    @torch.no_grad()
    def average(self, share: float) -> None:
        """Averages what changed since `begin`, in one message.

        Gradients must be those of the loss times the share; one that no process has stays None.
        """
        if not distributed.several():
            return
        used = [parameter.grad is not None for parameter in self._parameters]
        moved = [(b - old) * share for b, old in zip(self._buffers, self._before, strict=True)]
        own = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters]
        flags = torch.tensor(used, dtype=torch.float32, device=own[0].device)
        pieces = [*own, *moved, flags]
        flat = distributed.total(torch.cat([piece.flatten() for piece in pieces]))
        *summed, flags = flat.split([piece.numel() for piece in pieces])
        for parameter, piece, wanted in zip(
            self._parameters, summed[: len(own)], flags.tolist(), strict=True
        ):
            parameter.grad = piece.view_as(parameter).to(parameter.dtype) if wanted else None
        for buffer, old, piece in zip(self._buffers, self._before, summed[len(own) :], strict=True):
            buffer.copy_(old + piece.view_as(buffer))


def accumulate(sums: dict[str, float], loss: Loss, part: Part) -> None:
    """Adds a batch to running sums, weighted by its rows; teachers without any row do not count."""
    figures = {"": loss.total.detach(), **loss.parts, **loss.facts}
    own = torch.stack([figure.float() for figure in figures.values()])
    values = _averaged(own, part.share)
    for name, value in zip(figures, values.tolist(), strict=True):
        if value == value:  # noqa: PLR0124  (NaN: no row of the batch had this teacher)
            sums[name] = sums.get(name, 0.0) + value * part.count
            sums[f"#{name}"] = sums.get(f"#{name}", 0.0) + part.count


def means(sums: Mapping[str, float], split: str) -> dict[str, float]:
    """Means by "train" for the total and "train/TEACHER" for the parts."""
    return {
        f"{split}/{name}" if name else split: value / sums[f"#{name}"]
        for name, value in sums.items()
        if not name.startswith("#")
    }


def _averaged(figures: Tensor, share: float) -> Tensor:
    """Averages figures of a batch over processes by their rows.

    Args:
        figures: shape (k,), NaN where a process has nothing to say.
        share: of the batch's rows that are this process's.

    Returns:
        Shape (k,), the same bits in all processes; NaN where none has anything to say.
    """
    if not distributed.several():
        return figures
    known = ~figures.isnan() & (share > 0)
    sums = torch.stack([torch.where(known, figures, 0.0), known.to(figures.dtype)])
    value, weight = distributed.total(sums * share)
    return torch.where(weight > 0, value / weight, torch.nan)
