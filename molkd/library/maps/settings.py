"""The settings of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from molkd.runtime.settings import validate


@dataclass(frozen=True, kw_only=True)
class MapSettings:
    """How a map is made and shown.

    Attributes:
        layout: umap, which shows who is near whom, or the quick pca, the two directions of largest
            variance.
        seed: of the layout and of clusters.
        neighbours: of UMAP: more show the large structure, fewer the small.
        clusters: how many k-means makes of the embeddings, as a column "cluster"; 0 for none.
        color: the column shown first; by default clusters, or none; a page can show any.
        categories: columns of numbers that are names of groups.
        drawings: whether a page holds drawn molecules; by default up to 250,000 rows, at some 100
            bytes each.
        title: of the page and of the figure; by default how many molecules there are.
    """

    layout: Literal["umap", "pca"] = "umap"
    seed: int = 0
    neighbours: int = 15
    clusters: int = 0
    color: str | None = None
    categories: tuple[str, ...] = ()
    drawings: bool | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        validate(self, {})
        rules = {
            "seed must lie in [0, 2**32)": 0 <= self.seed < 2**32,
            "neighbours must be at least 2": self.neighbours >= 2,
            "clusters must be 0 or at least 2": self.clusters == 0 or self.clusters >= 2,
        }
        validate(self, rules)
