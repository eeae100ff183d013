"""What a job can embed with, and what its worker processes do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from molkd.formats.rows import Records
from molkd.items import MODALITIES, Modality
from molkd.types import Embeddings, Teacher

PackedT = TypeVar("PackedT")


class Encoder(Protocol[PackedT]):
    """What a job embeds with: a `molkd.students.Student`, or a teacher in a `TeacherEncoder`."""

    @property
    def modality(self) -> str:
        """What its items are, a key of `molkd.items.MODALITIES`."""
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
    def featurize(self) -> Callable[[Sequence[Any]], PackedT]:
        """What reads items; sent to worker processes, so it is picklable and light."""
        ...

    def encode(self, prepared: PackedT, /, *, batch_size: int) -> Embeddings:
        """Embeds prepared items, one row each; runs in the process of the caller."""
        ...

    def shortened(self, prepared: PackedT, /) -> int:
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
    def modality(self) -> str:
        """What its items are."""
        return self.teacher.card.modality

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self.teacher.card.dim

    @property
    def digest(self) -> str:
        """See `molkd.types.TeacherCard.digest`."""
        return self.teacher.card.digest

    @property
    def featurize(self) -> Callable[[Sequence[Any]], Embeddings]:
        """What embeds items."""
        return self.teacher.embed

    def encode(self, prepared: Embeddings, /, *, batch_size: int) -> Embeddings:  # noqa: ARG002
        """Returns what `featurize` made."""
        return prepared

    def shortened(self, prepared: Embeddings, /) -> int:  # noqa: ARG002
        """None that is known of: a teacher that cuts counts in its own process."""
        return 0


@dataclass(frozen=True, slots=True)
class FeaturizedChunk(Generic[PackedT]):
    """A chunk that a worker has read.

    Attributes:
        prepared: what the encoder reads, one item per row.
        failures: position -> reason, for rows that could not be read before the encoder saw them.
    """

    prepared: PackedT
    failures: dict[int, str]


@dataclass(frozen=True)
class ChunkFeaturizer(Generic[PackedT]):
    """What a worker process does with a chunk; does not import torch.

    Attributes:
        prepare: what the encoder does before it embeds; see `Encoder.featurize`.
        modality: what the items are.
        standardize: one of the modality's standardisations.
    """

    featurize: Callable[[Sequence[Any]], PackedT]
    modality: str
    standardize: str

    def __call__(self, records: Records) -> FeaturizedChunk[PackedT]:
        """Standardises items, where asked to, and prepares them."""
        modality: Modality = MODALITIES[self.modality]
        if self.standardize == modality.standardizations[0]:
            return FeaturizedChunk(self.featurize(records.items), dict(records.failures))
        checked = modality.check(records.items, self.standardize)
        failures = {**checked.failures, **records.failures}
        items = [None if row in failures else item for row, item in enumerate(checked.items)]
        return FeaturizedChunk(self.featurize(items), failures)
