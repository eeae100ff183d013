"""From a chunk of items to a chunk of embeddings, with a reason for every row that has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from molkd.embedding.encoders import (
    ChunkFeaturizer,
    Encoder,
    FeaturizedChunk,
    arithmetic,
    encoding_of,
    familiar_columns,
)
from molkd.embedding.settings import EmbedSettings
from molkd.errors import ConfigError, ShapeError
from molkd.formats.chunks import Chunk
from molkd.formats.encodings import Encoding
from molkd.formats.writers.table import EmbeddedChunk
from molkd.types import Matrix


@dataclass(frozen=True, slots=True)
class Embedded:
    """A chunk that has just been embedded.

    Attributes:
        part: its rows.
        outside: how many lie outside what the encoder was distilled from.
        beyond: what of them it never met -> in how many.
    """

    part: EmbeddedChunk
    outside: int = 0
    beyond: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Embedder:
    """An encoder with the options of a job.

    Attributes:
        encoder: a student on its device, or a teacher in a `TeacherEncoder`.
        options: of the job.
        name: of the encoder, for messages.
    """

    encoder: Encoder[Any]
    options: EmbedSettings
    name: str

    @cached_property
    def encoding(self) -> Encoding:
        """How the embeddings are stored."""
        return encoding_of(self.encoder, self.options)

    @property
    def featurize(self) -> ChunkFeaturizer[Any]:
        """What is done to a chunk first; needs no network."""
        return ChunkFeaturizer(
            self.encoder.featurize, self.encoder.modality, self.options.standardize
        )

    def embed(self, chunk: Chunk, featurized: FeaturizedChunk[Any]) -> Embedded:
        """Embeds what `featurize` has made of a chunk.

        Raises:
            ConfigError: a column that is kept has the name of one that says how familiar items are.
            ShapeError: the encoder returns another width than it promises.
        """
        encoder, options = self.encoder, self.options
        with arithmetic(encoder, options.precision):
            embedded = encoder.encode(featurized.packed, batch_size=options.batch_size)
        expected = (len(chunk), encoder.embedding_dim)
        if embedded.values.shape != expected:
            raise ShapeError(
                f"{self.name} returned an array of shape {embedded.values.shape} for rows from "
                f"{chunk.row0}, expected {expected}"
            )
        failures = {**embedded.failures, **featurized.failures}
        values, clipped = self.encoding.encode(embedded.values[:, : self.encoding.dim])
        for what, numbers in (
            ("the model returned NaN or infinity", embedded.values),
            ("a value exceeds float16", values),
        ):
            for row in np.flatnonzero(~np.isfinite(numbers).all(axis=1)).tolist():
                failures.setdefault(row, what)
        values[list(failures)] = self.encoding.blank
        part = EmbeddedChunk(
            chunk.ids,
            chunk.labels,
            [failures.get(row) for row in range(len(chunk))],
            values,
            encoder.shortened(featurized.packed),
            clipped,
            self._columns(chunk, featurized, embedded.values),
        )
        beyond = Counter(what for every in embedded.outside.values() for what in every)
        return Embedded(part, len(embedded.outside), beyond)

    def _columns(
        self, chunk: Chunk, featurized: FeaturizedChunk[Any], values: Matrix
    ) -> Mapping[str, Sequence[str | None]]:
        """The columns beside those of every file."""
        if not self.options.with_domain:
            return chunk.kept
        added = familiar_columns(self.encoder, featurized.packed, values)
        for name in chunk.kept.keys() & added.keys():
            raise ConfigError(
                f"column {name!r} cannot be kept, for with_domain adds one of that name: leave one "
                "of them out, or rename it in the input"
            )
        return {**chunk.kept, **added}
