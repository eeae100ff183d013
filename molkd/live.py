"""Teachers that run during training, because their answer depends on a question of the student.

The question is a hidden state that enters a frozen network beside those of the molecule: it reads
them and they do not read it. Families of them are in `molkd.teachers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self, runtime_checkable

import torch
from torch import Tensor


class LiveBatch(Protocol):
    """Items in the form that one live teacher reads."""

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
class LiveTeacher(Protocol):
    """A frozen network that answers questions about items.

    It stays in evaluation mode, whatever is trained beside it, and only the question gets a
    gradient. Batch, question and answer lie on the teacher's device.
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
    def question_dim(self) -> int:
        """Width of a question: that of the hidden state where it enters."""
        ...

    @property
    def device(self) -> torch.device:
        """Where its network lies."""
        ...

    @property
    def forwards(self) -> int:
        """Molecules that were run so far; those that are absent do not count."""
        ...

    def collate(self, items: Sequence[str]) -> LiveBatch:
        """Returns items as tensors on the CPU; safe in a thread beside `answer`."""
        ...

    def answer(self, batch: LiveBatch, question: Tensor | None) -> Tensor:
        """Asks about every item of a batch.

        Args:
            batch: what `collate` made, or a part of it.
            question: shape (b, question_dim); None asks for the ordinary embedding.

        Returns:
            Shape (b, dim), float32; zero where an item is not present.

        Raises:
            ShapeError: the question has another shape.
        """
        ...


LiveTeachers = Mapping[str, LiveTeacher]
"""Name of a teacher -> the same teacher, which can be asked."""
