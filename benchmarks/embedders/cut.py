"""The first dimensions of an embedding, as an embedder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from molkd.benchmarks.embedders.store import Embeds
from molkd.errors import ConfigError
from molkd.types import Embeddings


@dataclass(frozen=True, slots=True)
class Cut:
    """The first dimensions of an embedding."""

    model: Embeds
    length: int

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Shape (n, length)."""
        embedded = self.model.embed(items)
        if embedded.values.shape[1] < self.length:
            width = embedded.values.shape[1]
            raise ConfigError(f"an embedding of {width} dimensions cannot be cut to {self.length}")
        return Embeddings(embedded.values[:, : self.length], embedded.failures)
