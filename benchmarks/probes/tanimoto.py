"""The probe that suits fingerprints best: ridge or logistic regression on their Tanimoto kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import Fitted, Part, about, check
from molkd.benchmarks.probes.kernel import LANDMARKS, Features, alphas_of, landmarks_of
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.tasks.kinds import Kind
from molkd.errors import InputError
from molkd.types import Matrix

_HIGHEST = 10_000
"""A count above is none of substructures, and would take a column for each number up to it."""


@dataclass(frozen=True, kw_only=True)
class Tanimoto:
    """The linear probe on features whose inner products are the Tanimoto similarity of counts.

    The similarity is the summed minima of two rows' counts over their summed maxima, for bits the
    share of common ones, and a kernel (Ralaivola et al., Neural Networks 18, 2005); of two rows
    without any it is 1. Otherwise as `Kernel`, without a width to choose.

    Attributes:
        landmarks: see `Kernel`, as the others.
        strengths: see `landmarks`.
        alphas: see `landmarks`.
    """

    landmarks: int = LANDMARKS
    strengths: tuple[float, ...] = (1e-2, 1e-1, 1.0, 1e1, 1e2)
    alphas: tuple[float, ...] = alphas_of()

    @property
    def reads_counts(self) -> bool:
        """See `ReadsCounts`."""
        return True

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "tanimoto", ["numpy", "scipy"])

    @threadpool_limits.wrap(limits=1)
    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """See `Probe.fit`; the seed draws the landmarks where rows are more.

        Raises:
            InputError: as `Probe.fit`, and a value is no count.
        """
        check(train, valid, kind)
        _, features = features_of(train.x, most=self.landmarks, seed=seed)
        inner, held = (Part(features(part.x), part.y) for part in (train, valid))
        linear = Linear(strengths=self.strengths, alphas=self.alphas)
        fitted = linear.fit(inner, held, kind=kind, seed=seed)
        return Fitted(lambda x: fitted.predict(features(x)), fitted.chosen)


def features_of(x: Matrix, *, most: int, seed: int) -> tuple[Matrix, Features]:
    """Returns the landmarks among rows of counts, and what makes features of rows.

    Args:
        x: shape (n, d), counts.
        most: landmarks; where rows are more, they are drawn.
        seed: of the draw.
    """
    landmarks = x[landmarks_of(len(x), most, seed)]
    counts = Counts.of(landmarks)
    return landmarks, Features.of(counts.similarity(landmarks), counts.similarity)


@dataclass(frozen=True, eq=False)
class Counts:
    """Rows of counts that others are compared with.

    Attributes:
        x: shape (m, d).
        levels: shape (d,), the largest count of each column.
        steps: shape (m, s), sparse: a column for every count from 1 to its largest, 1 where a row
            has as many or more, so that inner products are summed minima.
    """

    x: Matrix
    levels: Matrix
    steps: Any

    @classmethod
    def of(cls, x: Matrix) -> Self:
        """Returns the same rows, as others are compared with them."""
        levels = x.max(axis=0)
        return cls(x, levels, _steps(x, levels))

    def similarity(self, others: Matrix) -> Any:
        """Returns shape (m, n), float64."""
        common = np.asarray((self.steps @ _steps(others, self.levels).T).todense(), np.float64)
        sizes, theirs = (each.sum(axis=1, dtype=np.float64) for each in (self.x, others))
        whole = sizes[:, np.newaxis] + theirs - common
        return np.divide(common, whole, out=np.ones_like(common), where=whole > 0)


def _steps(x: Matrix, levels: Matrix) -> Any:
    if x.shape[1] != len(levels):
        raise InputError(f"rows of {x.shape[1]} counts were to be compared with {len(levels)}")
    counts = sparse.csr_matrix(x)
    bad = np.flatnonzero((counts.data < 0) | (counts.data != np.floor(counts.data)))
    if len(bad):
        raise InputError(
            f"column {counts.indices[bad[0]]} of the embeddings is {counts.data[bad[0]]:g}: the "
            "probe tanimoto reads counts, as of ecfp4-count; name the embedders that it asks by "
            "--only tanimoto=NAME"
        )
    if (highest := int(levels.max(initial=0))) > _HIGHEST:
        raise InputError(f"counts up to {highest} are too large for the probe tanimoto")
    ends = np.cumsum(levels, dtype=np.int64)
    steps = np.minimum(counts.data, levels[counts.indices]).astype(np.int64)
    upto = np.concatenate([[0], np.cumsum(steps)])
    columns = np.repeat(ends[counts.indices] - levels[counts.indices].astype(np.int64), steps)
    columns += np.arange(upto[-1]) - np.repeat(upto[:-1], steps)
    shape = (len(x), max(int(levels.sum(dtype=np.int64)), 1))
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, columns, upto[counts.indptr]), shape)
