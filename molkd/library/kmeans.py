"""K-means on embeddings of length 1, by mini-batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from molkd.library import exact
from molkd.types import Matrix, Rows

_BLOCK = 8192


def centres(vectors: Matrix, n: int, *, seed: int = 0) -> Matrix:
    """Returns centres of length 1, shape (n, d).

    Args:
        vectors: shape (m, d), of length 1, at least n of them.
        n: how many.
        seed: of the first ones.
    """
    from sklearn import cluster

    kind: Any = cluster.MiniBatchKMeans  # its stub knows n_init as a text only
    batch = max(4096, 4 * n)
    fitted = kind(n, batch_size=batch, n_init=1, max_iter=10, random_state=seed).fit(vectors)
    found = exact.unit(fitted.cluster_centers_.astype(np.float32))
    return np.nan_to_num(found)  # opposite members have no mean direction


def nearest(vectors: Matrix, among: Matrix) -> Rows:
    """Returns the centre with the largest cosine to each row, shape (m,).

    Args:
        vectors: shape (m, d).
        among: shape (n, d).
    """
    blocks = range(0, len(vectors), _BLOCK)
    parts = [np.argmax(vectors[start : start + _BLOCK] @ among.T, axis=1) for start in blocks]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])
