"""What a job embeds with, and how items are featurized for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from molkd.embedding.settings import EmbedSettings, Precision
from molkd.errors import ConfigError
from molkd.formats.chunks import Chunk
from molkd.formats.encodings import Encoding
from molkd.items import MODALITIES
from molkd.types import Embeddings, Teacher

PackedT = TypeVar("PackedT")


class Encoder(Protocol[PackedT]):
    """What a job embeds with: a `molkd.students.Student`, or a teacher in a `TeacherEncoder`.

    Worker processes have copies of it: it is picklable where there is more than one job.
    """

    @property
    def modality(self) -> str:
        """What its items are, a name in `molkd.items.MODALITIES`."""
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
        """Turns items into what `encode` takes; picklable, and loads no torch in a worker."""
        ...

    def encode(self, packed: PackedT, /, *, batch_size: int | None) -> Embeddings:
        """Embeds featurized items, one row each."""
        ...

    def shortened(self, packed: PackedT, /) -> int:
        """How many of the items lost their end, because the encoder reads no longer ones."""
        ...


class Familiar(Protocol):
    """How well an encoder knows items: a `molkd.students.familiarity.Known`."""

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """Shape (n,), from 0 to 1; NaN where there is none."""
        ...

    @property
    def reasons(self) -> Sequence[str | None]:
        """One per item."""
        ...


@runtime_checkable
class KnowingEncoder(Protocol):
    """An encoder that says how familiar an item is to it: a student of molecules."""

    def known(self, prepared: Any, values: Any, /) -> Familiar:
        """Asks for featurized items with their embeddings."""
        ...

    def corpus_digest(self) -> str:
        """Changes whenever what `known` returns may."""
        ...


FAMILIARITY, REASON = "familiarity", "familiarity_reason"
"""Columns that say how well an item is known, and why."""


def familiar_columns(encoder: Any, packed: Any, values: Any) -> dict[str, list[Any]]:
    """Returns both columns of the featurized items of a `KnowingEncoder`."""
    known = encoder.known(packed, values)
    scores = [None if np.isnan(score) else f"{score:.4f}" for score in known.scores.tolist()]
    return {FAMILIARITY: scores, REASON: list(known.reasons)}


@dataclass(frozen=True)
class TeacherEncoder:
    """Embeds with a teacher, wholly where items are featurized.

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
        """That of the teacher's card."""
        return self.teacher.card.digest

    @property
    def featurize(self) -> Callable[[Sequence[Any]], Embeddings]:
        """The teacher's own `embed`, for it needs the items."""
        return self.teacher.embed

    def encode(self, packed: Embeddings, /, *, batch_size: int | None) -> Embeddings:  # noqa: ARG002
        """Returns the embeddings, which `featurize` has computed already."""
        return packed

    def shortened(self, packed: Embeddings, /) -> int:  # noqa: ARG002
        """0: teachers do not tell which items they cut."""
        return 0


def arithmetic(
    encoder: Encoder[Any], precision: Precision
) -> contextlib.AbstractContextManager[object]:
    """Returns the context in which an encoder is to embed.

    Raises:
        ConfigError: a teacher is asked for bf16: its card promises other numbers.
    """
    if precision == "fp32":
        return contextlib.nullcontext()
    device = getattr(encoder, "device", None)
    if device is None:
        raise ConfigError("precision is an option of students: a teacher computes as its card says")
    from molkd.runtime import devices  # it loads torch

    return devices.bf16(device)


def encoding_of(encoder: Encoder[Any], options: EmbedSettings) -> Encoding:
    """Returns how the embeddings of an encoder are to be stored.

    Raises:
        ConfigError: the encoder has not as many dimensions, or does not know how large its values
            become, which int8 needs.
    """
    dim, whole = options.dimensions, encoder.embedding_dim
    if dim is not None and isinstance(encoder, TeacherEncoder):
        raise ConfigError("dimensions is an option of students: a teacher's have no such order")
    if dim is not None and not 0 < dim < whole:
        raise ConfigError(f"an embedding of {whole} dimensions cannot be truncated to {dim}")
    reach: float | None = getattr(encoder, "reach", None) if options.dtype == "int8" else None
    if options.dtype == "int8" and reach is None:
        raise ConfigError(
            "dtype int8 needs to know how large the values of an embedding become, and this "
            "encoder does not say: students of molecules that molkd distill writes keep it in "
            "familiarity.npz; those of older versions, truncated ones, students of texts and "
            "images and teachers do not. float16 and binary need nothing"
        )
    return Encoding.of(options.dtype, dim or whole, reach)


@dataclass(frozen=True, slots=True)
class FeaturizedChunk(Generic[PackedT]):
    """The items of a chunk as the encoder reads them.

    Attributes:
        packed: what `Encoder.encode` takes, one item per row.
        failures: row of the chunk -> reason, for items that failed before they were featurized.
    """

    packed: PackedT
    failures: dict[int, str]


@dataclass(frozen=True)
class ChunkFeaturizer(Generic[PackedT]):
    """Standardises and featurizes chunks, without torch.

    Attributes:
        featurize: of the encoder.
        modality: what the items are.
        standardize: one of the modality's standardisations.
    """

    featurize: Callable[[Sequence[Any]], PackedT]
    modality: str
    standardize: str

    def __call__(self, chunk: Chunk) -> FeaturizedChunk[PackedT]:
        """Featurizes one chunk."""
        modality = MODALITIES[self.modality]
        if self.standardize == modality.standardizations[0]:
            return FeaturizedChunk(self.featurize(chunk.readable), dict(chunk.failures))
        checked = modality.check(chunk.readable, self.standardize)
        failures = {**checked.failures, **chunk.failures}
        items = [None if row in failures else item for row, item in enumerate(checked.items)]
        return FeaturizedChunk(self.featurize(items), failures)
