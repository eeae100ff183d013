"""What was chosen of a library: tables, pages, and drawings of themselves in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from molkd.formats.embeddings import StoredEmbeddings
from molkd.library.cards import Card, Section
from molkd.library.results import ResultTable, carried, values_of
from molkd.types import Matrix, Rows


@dataclass(frozen=True, eq=False, repr=False)
class Picks(ResultTable):
    """Molecules that differ, in the order in which they were picked.

    Attributes:
        rows: of the library, shape (n,).
        texts: what they say beside their embeddings.
        distances: 1 - cosine to the nearest that was picked before (MaxMin) or at all (k-medoids),
            shape (n,); NaN where there is none.
        notes: what else there is to say, in sentences.
    """

    rows: Rows
    texts: StoredEmbeddings
    distances: Matrix
    notes: tuple[str, ...] = ()

    title: ClassVar[str] = "Picked molecules"

    @cached_property
    def table(self) -> Any:
        """An Arrow table: pick (from 1), row (of the library), id, smiles, distance, columns."""
        own = {
            "pick": pa.array(np.arange(1, len(self.rows) + 1)),
            "row": pa.array(self.rows),
            "id": pa.array(self.texts.ids, pa.string()),
            "smiles": pa.array(self.texts.items, pa.string()),
            "distance": pa.array(self.distances, from_pandas=True),
        }
        places = pa.array(np.arange(len(self.rows)))
        return pa.table(own | carried(self.texts.columns, places, taken=own))

    def sections(self, most: int) -> list[Section]:
        """Returns the picks, in order."""
        cards = [
            Card(
                self.texts.items[place],
                self.texts.ids[place],
                (
                    *(() if np.isnan(distance) else (("distance", f"{distance:.3f}"),)),
                    *values_of(self.texts.columns, place),
                ),
            )
            for place, distance in enumerate(self.distances[:most].tolist())
        ]
        return [Section(cards=tuple(cards))]

    def __str__(self) -> str:
        return f"{len(self.rows):,} molecules"


@dataclass(frozen=True, eq=False, repr=False)
class Clusters(ResultTable):
    """The cluster of every molecule of a library, the largest first.

    Attributes:
        labels: shape (n,), from 0; -1 for rows without an embedding.
        cosines: to the representative of the cluster, shape (n,); NaN there.
        representatives: row of the most central member of each cluster, shape (c,).
        sizes: members of each cluster, shape (c,).
        texts: what all rows say beside their embeddings.
        notes: what else there is to say, in sentences.
    """

    labels: npt.NDArray[np.int64]
    cosines: Matrix
    representatives: Rows
    sizes: npt.NDArray[np.int64]
    texts: StoredEmbeddings
    notes: tuple[str, ...] = ()

    title: ClassVar[str] = "Clusters"

    @cached_property
    def table(self) -> Any:
        """An Arrow table of all rows, in their order.

        Columns row, id, smiles, cluster (1 is the largest), cosine (to its representative),
        representative (whether it is the one), those that the library keeps, and error.
        """
        without = self.labels < 0
        central = np.zeros(len(self.labels), dtype=np.bool_)
        central[self.representatives] = True
        own = {
            "row": pa.array(np.arange(len(self.labels))),
            "id": pa.array(self.texts.ids, pa.string()),
            "smiles": pa.array(self.texts.items, pa.string()),
            "cluster": pa.array(self.labels + 1, mask=without),
            "cosine": pa.array(self.cosines, mask=without),
            "representative": pa.array(central),
        }
        places = pa.array(np.arange(len(self.labels)))
        own |= carried(self.texts.columns, places, taken=(*own, "error"))
        errors = [
            self.texts.reasons.get(row, "the file holds no embedding of it") if none else None
            for row, none in enumerate(without.tolist())
        ]
        return pa.table({**own, "error": pa.array(errors, pa.string())})

    def sections(self, most: int) -> list[Section]:
        """Returns the representatives."""
        pairs = zip(self.representatives[:most].tolist(), self.sizes.tolist(), strict=False)
        cards = [
            Card(
                self.texts.items[row],
                self.texts.ids[row],
                (("members", f"{size:,}"), *values_of(self.texts.columns, row)),
            )
            for row, size in pairs
        ]
        return [Section(cards=tuple(cards))]

    def __str__(self) -> str:
        return f"{len(self.sizes):,} clusters of {int(self.sizes.sum()):,} molecules"
