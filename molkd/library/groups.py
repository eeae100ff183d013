"""Clusters as a column of a library."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from molkd.errors import ConfigError
from molkd.library import exact
from molkd.library.picking import cluster_labels
from molkd.types import Matrix


def clusters_of(values: Matrix, count: int, *, seed: int = 0) -> Any:
    """Returns the cluster of every row, named as `names_of` does; see `picking.clusters`.

    Args:
        values: shape (n, d); NaN in rows without an embedding.
        count: of clusters.
        seed: of the first centres.

    Raises:
        ConfigError: fewer than 2 clusters, or more than rows with an embedding.
    """
    unit = exact.unit(values)
    rows = np.flatnonzero(np.isfinite(unit).all(axis=1))
    if not 2 <= count <= len(rows):
        raise ConfigError(
            f"{count} clusters of {len(rows)} embeddings: expected 2 or more, up to their number"
        )
    labels = np.full(len(values), -1, dtype=np.int64)
    labels[rows] = cluster_labels(unit[rows], count, seed=seed)
    return names_of(labels)


def names_of(labels: npt.NDArray[np.int64]) -> Any:
    """Returns clusters as an Arrow array of texts, "1" the largest; null where a label is -1."""
    return pa.array([str(label + 1) for label in labels.tolist()], mask=labels < 0)
