"""What probes read: embeddings, scaled by statistics of training rows alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks.tasks.task import Labels
from molkd.errors import ConfigError, InputError, ShapeError
from molkd.types import Mask, Matrix

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

BLOCK = 128
"""Rows that are scaled at once, in the processor's cache: double precision of all would not fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Standardises the columns of embeddings, and may project them on principal components.

    No row of a training part of n rows can lie sqrt(n) standard deviations from its mean (Samuelson
    1968, "How deviant can you be?", JASA 63); other rows are cut off there, so that a descriptor
    that explodes for one test molecule cannot decide a whole task.

    Attributes:
        mean: shape (d,), of the training rows.
        sd: shape (d,), of the training rows; 1 where a column is constant.
        varies: shape (d,), False for columns that are constant on the training rows: always 0.
        limit: sqrt(n).
        pca: fitted on the standardised training rows; None without projection.
        factor: what components are multiplied with: their variances on the training rows are 1
            on average, as those of standardised columns. One factor for all: components keep
            their distances and their proportions, and noise is not blown up to the size of signal.
    """

    mean: Labels
    sd: Labels
    varies: Mask
    limit: float
    pca: PCA | None = None
    factor: float = 1.0

    @classmethod
    def fit(cls, train_x: Matrix, *, components: int | None = None) -> Self:
        """Fits the scaler on training rows, the only rows it ever sees.

        Args:
            train_x: shape (n, d), float32.
            components: how many principal components are kept; no more than n - 1, or than columns
                vary. None keeps the columns. Wide embeddings are decomposed by scikit-learn's
                randomised solver with a fixed seed; what does not vary at all is not projected.

        Raises:
            ConfigError: fewer than one component.
            InputError: there is no row or no column, or a value is NaN or infinite.
            ShapeError: the embeddings are not of shape (n, d).
        """
        _check_finite(train_x)
        if components is not None and components < 1:
            raise ConfigError(f"{components} principal components: at least 1 is needed")
        rows = _blocks(len(train_x))
        sums = [train_x[part].sum(axis=0, dtype=np.float64) for part in rows]
        mean: Labels = np.sum(sums, axis=0) / len(train_x)
        squares = [((train_x[part] - mean) ** 2).sum(axis=0) for part in rows]
        sd: Labels = np.sqrt(np.sum(squares, axis=0) / len(train_x))
        varies = train_x.min(axis=0) < train_x.max(axis=0)  # an sd of equal values may round off 0
        varies &= sd > 0
        plain = cls(mean, np.where(varies, sd, 1.0), varies, float(np.sqrt(len(train_x))))
        return plain if components is None else plain._projected(train_x, components)

    @threadpool_limits.wrap(limits=1)
    def transform(self, x: Matrix) -> Matrix:
        """Scales any rows of the same embedding.

        Args:
            x: shape (m, d), float32.

        Returns:
            Shape (m, d) or (m, components), float32, finite.

        Raises:
            InputError: a value is NaN or infinite.
            ShapeError: the width differs from that of the training rows.
        """
        if x.ndim != 2 or x.shape[1] != len(self.mean):
            raise ShapeError(f"embeddings of shape {x.shape}: (m, {len(self.mean)}) is expected")
        if not len(x):
            width = len(self.mean) if self.pca is None else self.pca.n_components_
            return np.empty((0, width), dtype=np.float32)
        _check_finite(x)
        scaled = self._standardised(x)
        if self.pca is None:
            return scaled
        return np.asarray(self.pca.transform(scaled) * self.factor, dtype=np.float32)

    def _standardised(self, x: Matrix) -> Matrix:
        scaled = np.empty(x.shape, dtype=np.float32)
        for part in _blocks(len(x)):
            block = x[part] - self.mean
            block /= self.sd
            scaled[part] = np.clip(block, -self.limit, self.limit, out=block)
        scaled[:, ~self.varies] = 0.0
        return scaled

    @threadpool_limits.wrap(limits=1)
    def _projected(self, train_x: Matrix, components: int) -> Self:
        from sklearn.decomposition import PCA

        rank = min(components, len(train_x) - 1, int(self.varies.sum()))
        if rank == 0:
            return self
        pca = PCA(rank, random_state=0).fit(self._standardised(train_x))
        factor = float(pca.explained_variance_.astype(np.float64).mean() ** -0.5)
        return replace(self, pca=pca, factor=factor)


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, rows, BLOCK)]


def _check_finite(x: Matrix) -> None:
    if x.ndim != 2:
        raise ShapeError(f"embeddings of shape {x.shape}: (n, d) is expected")
    if x.size == 0:
        raise InputError(f"embeddings of shape {x.shape}: at least one row and column are needed")
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if len(bad):
        raise InputError(
            f"row {bad[0]} of the embeddings holds NaN or infinite values; "
            "drop rows that failed first"
        )
