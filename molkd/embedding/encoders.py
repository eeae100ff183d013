"""What a job can embed with, and what its worker processes do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from molkd.formats.records import Records
from molkd.items import KINDS, ItemKind
from molkd.types import Embedded, Teacher

PreparedT = TypeVar("PreparedT")


class Encoder(Protocol[PreparedT]):
    """What a job embeds with: a `molkd.students.Student`, or a teacher in a `TeacherEncoder`."""

    @property
    def reads(self) -> str:
        """What its items are, a key of `molkd.items.KINDS`."""
        ...

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        ...

    @property
    def digest(self) -> str:
        """Changes whenever the numbers may change."""
        ...

    @property
    def prepare(self) -> Callable[[Sequence[Any]], PreparedT]:
        """What reads items; sent to worker processes, so it is picklable and light."""
        ...

    def encode(self, prepared: PreparedT, /, *, batch_size: int) -> Embedded:
        """Embeds prepared items, one row each; runs in the process of the caller."""
        ...

    def shortened(self, prepared: PreparedT, /) -> int:
        """How many of the items lose their end, because they are longer than what it reads."""
        ...


@dataclass(frozen=True)
class TeacherEncoder:
    """Embeds with a teacher, wholly in the worker processes.

    Attributes:
        teacher: picklable where there is more than one job.
    """

    teacher: Teacher[Any]

    @property
    def reads(self) -> str:
        """What its items are."""
        return self.teacher.card.reads

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self.teacher.card.dim

    @property
    def digest(self) -> str:
        """See `molkd.types.Card.digest`."""
        return self.teacher.card.digest

    @property
    def prepare(self) -> Callable[[Sequence[Any]], Embedded]:
        """What embeds items."""
        return self.teacher.embed

    def encode(self, prepared: Embedded, /, *, batch_size: int) -> Embedded:  # noqa: ARG002
        """Returns what `prepare` made."""
        return prepared

    def shortened(self, prepared: Embedded, /) -> int:  # noqa: ARG002
        """None that is known of: a teacher that cuts counts in its own process."""
        return 0


@dataclass(frozen=True, slots=True)
class Ready(Generic[PreparedT]):
    """A chunk that a worker has read.

    Attributes:
        prepared: what the encoder reads, one item per row.
        failures: position -> reason, for rows that could not be read before the encoder saw them.
    """

    prepared: PreparedT
    failures: dict[int, str]


@dataclass(frozen=True)
class Preparation(Generic[PreparedT]):
    """What a worker process does with a chunk; does not import torch.

    Attributes:
        prepare: what the encoder does before it embeds; see `Encoder.prepare`.
        kind: what the items are.
        standardize: one of the kind's standardisations.
    """

    prepare: Callable[[Sequence[Any]], PreparedT]
    kind: str
    standardize: str

    def __call__(self, records: Records) -> Ready[PreparedT]:
        """Standardises items, where asked to, and prepares them."""
        kind: ItemKind = KINDS[self.kind]
        if self.standardize == kind.standardizations[0]:
            return Ready(self.prepare(records.items), dict(records.failures))
        checked = kind.check(records.items, self.standardize)
        failures = {**checked.failures, **records.failures}
        items = [None if row in failures else item for row, item in enumerate(checked.items)]
        return Ready(self.prepare(items), failures)
