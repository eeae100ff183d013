"""Clusters of a map: k-means on the embeddings, as a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from molkd.errors import ConfigError
from molkd.types import Matrix


def clusters_of(values: Matrix, count: int, *, seed: int = 0) -> pa.Array:
    """Returns the cluster of every row as text, "1" the largest; null without an embedding.

    Args:
        values: shape (n, d); NaN in rows without an embedding.
        count: of clusters.
        seed: of the first centres.

    Raises:
        ConfigError: fewer than 2 clusters, or more than rows with an embedding.
    """
    from sklearn.cluster import MiniBatchKMeans

    valid = np.isfinite(values).all(axis=1)
    if not 2 <= count <= valid.sum():
        raise ConfigError(
            f"{count} clusters of {valid.sum()} embeddings: expected 2 or more, up to their number"
        )
    unit = values[valid]
    lengths = np.linalg.norm(unit, axis=1, keepdims=True)
    model: Any = MiniBatchKMeans(count, random_state=seed, batch_size=4096)
    labels = model.fit_predict(unit / np.where(lengths > 0, lengths, 1))
    order = np.argsort(-np.bincount(labels, minlength=count), kind="stable")
    names = np.empty(count, dtype=np.int64)
    names[order] = np.arange(1, count + 1)
    found = np.zeros(len(values), dtype=np.int64)
    found[valid] = names[labels]
    return pa.array([str(one) if one else None for one in found.tolist()], pa.string())
