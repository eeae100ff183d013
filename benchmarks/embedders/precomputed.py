"""Embeddings that were computed elsewhere, read from a file, as an embedder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from molkd.errors import InputError
from molkd.formats import embeddings
from molkd.items import MODALITIES
from molkd.runtime import files
from molkd.types import Embeddings


class Precomputed:
    """The embeddings of a file, by SMILES or text as written there.

    See `molkd.formats.embeddings.read` for the files that can be read.

    Attributes:
        modality: "molecules" or "texts".
    """

    def __init__(self, path: str | Path) -> None:
        """Reads a file.

        Raises:
            InputError: it cannot be read, or holds no items or no numbers.
        """
        self.path = Path(path)
        stored = embeddings.read(self.path)
        self.modality, self.values = stored.modality, stored.values
        if not MODALITIES[self.modality].readable_keys:
            raise InputError(f"{path} holds {self.modality}, which cannot be looked up by a text")
        self.digest = files.sha256_of(self.path)
        alive = np.flatnonzero(np.isfinite(self.values).all(axis=1)).tolist()
        self._rows = {stored.items[row]: row for row in alive}

    def embed(self, items: Sequence[str], /) -> Embeddings:
        """Looks items up; those that the file lacks fail."""
        values = np.full((len(items), self.values.shape[1]), np.nan, dtype=np.float32)
        failures: dict[int, str] = {}
        for row, text in enumerate(items):
            place = self._rows.get(text)
            if place is None:
                failures[row] = f"{self.path.name} has no embedding of it"
            else:
                values[row] = self.values[place]
        return Embeddings(values, failures)
