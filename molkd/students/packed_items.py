"""What students make of items before their networks run: the two forms, as protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import torch

from molkd.types import Rows


class PackedItems(Protocol):
    """Items in the form a student reads, before they become tensors."""

    def __len__(self) -> int: ...

    @property
    def failures(self) -> Mapping[int, str]:
        """Row -> reason, for items that cannot be read."""
        ...

    @property
    def shortened(self) -> int:
        """How many items lose their end, because they are longer than what the student reads."""
        ...

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Shape (n,): the cost of each item, to batch alike with alike."""
        ...

    def select(self, rows: Rows) -> Self:
        """Returns some rows, in the order given."""
        ...

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Returns several parts, one after the other."""
        ...


class Movable(Protocol):
    """A batch on some device."""

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        ...
