"""Embedders of the benchmark as objects that embed, on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from molkd.benchmarks import embedders
from molkd.benchmarks.embedders.store import Embeds
from molkd.types import Embeddings


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Several models, one after the other."""

    parts: tuple[Embeds, ...]

    def embed(self, items: Sequence[str], /) -> Embeddings:
        """Concatenates the embeddings; a row fails where it fails for one of them."""
        embedded = [part.embed(items) for part in self.parts]
        failures = {row: why for part in embedded for row, why in part.failures.items()}
        values = np.concatenate([part.values for part in embedded], axis=1)
        return Embeddings(values, dict(sorted(failures.items())))


def make(spec: str, *, weights_dir: Path | None, device: str) -> Embeds:
    """Makes what `molkd.benchmarks.embedders.make` makes, ready to embed on a device.

    Principal components are left out: they are one product with a matrix.

    Raises:
        MolkdError: there is no such embedder.
    """
    sources = embedders.make(spec, weights_dir=weights_dir).sources
    parts = tuple(_placed(source.model, device) for source in sources)
    return parts[0] if len(parts) == 1 else SideBySide(parts)


def can_be_trained(embedder: embedders.Embedder) -> bool:
    """Says whether it is one student."""
    return len(embedder.sources) == 1 and hasattr(embedder.sources[0].model, "collate")


def _placed(model: Embeds, device: str) -> Embeds:
    anything = cast("Any", model)
    if hasattr(model, "collate"):
        from molkd.runtime import devices

        return anything.to(devices.choose(device))
    if hasattr(model, "get_params") and "device" in anything.get_params(deep=False):
        anything.set_params(device=device)
    return model
