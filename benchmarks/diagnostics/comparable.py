"""Embeddings of the same items, brought into the forms in which they can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from molkd.errors import InputError
from molkd.targets import similarity
from molkd.targets.similarity import Floats
from molkd.types import Mask, Matrix, Rows, Support

K = 10
"""Neighbours that are compared."""

LEAST_ROWS = 50
"""Molecules below which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one embedding is by itself.

    Attributes:
        dim: its width.
        varying: columns that vary over the molecules.
        effective_rank: see `similarity.effective_rank`.
        participation_ratio: see `similarity.participation_ratio`.
        failed: molecules that it could not embed.
    """

    dim: int
    varying: int
    effective_rank: float
    participation_ratio: float
    failed: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparable:
    """Embeddings of the same n items, as the measures of likeness read them.

    Attributes:
        prepared: embedder -> shape (n, d'); see `similarity.prepared`.
        neighbours: embedder -> shape (n, K); see `similarity.neighbours`.
    """

    prepared: Mapping[str, Floats]
    neighbours: Mapping[str, Rows]

    @classmethod
    def of(cls, values: Mapping[str, Matrix], supports: Mapping[str, Support]) -> Self:
        """Makes embeddings comparable.

        Args:
            values: embedder -> shape (n, d), without NaN, n more than `K`.
            supports: embedder -> what values it takes; "real" where it is not named.

        Raises:
            InputError: an embedding does not vary.
        """
        prepared: dict[str, Floats] = {}
        neighbours: dict[str, Rows] = {}
        for name, matrix in values.items():
            support = supports.get(name, "real")
            prepared[name] = similarity.prepared(matrix, support)
            if not prepared[name].shape[1]:
                raise InputError(
                    f"{name}: all columns are constant over {len(matrix)} items: leave it out "
                    "or give other items"
                )
            neighbours[name] = similarity.neighbours(matrix, support, k=K)
        return cls(prepared, neighbours)

    def facts(self, name: str, values: Matrix) -> Facts:
        """Says what an embedder is by itself; `values` are those of all molecules."""
        prepared = self.prepared[name]
        return Facts(
            dim=values.shape[1],
            varying=prepared.shape[1],
            effective_rank=similarity.effective_rank(prepared),
            participation_ratio=similarity.participation_ratio(prepared),
            failed=int((~_embedded(values)).sum()),
        )


def _embedded(values: Matrix) -> Mask:
    return np.asarray(np.isfinite(values).all(axis=1))


def common_rows(values: Mapping[str, Matrix]) -> Rows:
    """Returns the rows, ascending, that all embedders could embed.

    Args:
        values: embedder -> shape (n, d), NaN where it failed.

    Raises:
        InputError: they are fewer than `LEAST_ROWS`; names who failed most often.
    """
    embedded = {name: _embedded(matrix) for name, matrix in values.items()}
    common = np.flatnonzero(np.logical_and.reduce(list(embedded.values())))
    if len(common) < LEAST_ROWS:
        failed = {name: int((~mask).sum()) for name, mask in embedded.items()}
        worst = max(failed, key=lambda name: failed[name])
        total = len(embedded[worst])
        blame = f"; {worst} failed on {failed[worst]}" if failed[worst] else ""
        raise InputError(
            f"only {len(common)} of {total} items can be embedded by all, at least {LEAST_ROWS} "
            f"are needed{blame}: give more items" + (" or leave it out" if blame else "")
        )
    return common
