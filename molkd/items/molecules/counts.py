"""Molecules as packed graphs with counts of their substructures, without torch.

Substructures are hashed into columns, those of the teachers `ecfp4-count`, `atom-pair` and
`topological-torsion`, see `molkd.items.molecules.substructures`. The law of one vector holds for
counts because it does for graphs: they are made of nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from molkd.items.molecules import chem, graph, substructures
from molkd.items.molecules.graph import Graphs
from molkd.types import Rows, ranges_of, starts_of

COUNTS_VERSION = 1
"""Changes whenever the same graph may get other counts."""

WIDTHS: Mapping[str, int] = {"circular": 2048, "pairs": 2048, "torsions": 2048, "stereo": 256}
"""Block -> its number of columns."""

_AT_ONCE = 128
"""Molecules whose arrays, of some hundred numbers per molecule, stay in the processor's cache."""

_MOST = 65_535

Indices = npt.NDArray[np.int64]
Small = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class CountedGraphs:
    """The graphs of n items and what they count, end to end; a failed item has neither.

    Attributes:
        graphs: see `Graphs`.
        starts: shape (n + 1,), item i counts from starts[i] to starts[i + 1].
        columns: shape (c,), of what is there, ascending for each item.
        counts: shape (c,), how often it is, at least 1 and at most 65,535.
        blocks: keys of `WIDTHS`; their columns stand in this order.
    """

    graphs: Graphs
    starts: Indices
    columns: Small
    counts: Small
    blocks: tuple[str, ...]

    @property
    def reader(self) -> str:
        """What counted, for `molkd.bank.readings`."""
        return f"counts {COUNTS_VERSION}: {', '.join(self.blocks)}"

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Returns all that it holds, for `molkd.bank.readings`."""
        graphs = {f"graphs.{name}": array for name, array in self.graphs.arrays().items()}
        own = {"starts": self.starts, "columns": self.columns, "counts": self.counts}
        return {**graphs, **own, "blocks": np.array(self.blocks)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Returns what `arrays` gave."""
        graphs = {name.removeprefix("graphs."): array for name, array in arrays.items()}
        starts, columns, counts, blocks = (
            arrays[name] for name in ("starts", "columns", "counts", "blocks")
        )
        return cls(Graphs.from_arrays(graphs), starts, columns, counts, tuple(blocks.tolist()))

    def __len__(self) -> int:
        return len(self.graphs)

    @property
    def failures(self) -> Mapping[int, str]:
        """Row -> reason."""
        return self.graphs.failures

    @property
    def shortened(self) -> int:
        """None: molecules are read whole."""
        return 0

    @property
    def sizes(self) -> Indices:
        """Shape (n,): atoms per graph."""
        return self.graphs.sizes

    def select(self, rows: Rows) -> Self:
        """Returns some rows, in the order given."""
        sizes = np.diff(self.starts)[rows]
        there = ranges_of(self.starts[rows], sizes)
        graphs = self.graphs.select(rows)
        columns, counts = self.columns[there], self.counts[there]
        return type(self)(graphs, starts_of(sizes), columns, counts, self.blocks)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Returns several parts, one after the other."""
        return cls(
            Graphs.concatenate([part.graphs for part in parts]),
            starts_of(np.concatenate([np.diff(part.starts) for part in parts])),
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.counts for part in parts]),
            parts[0].blocks,
        )


@dataclass(frozen=True, slots=True)
class Counting:
    """Reads molecules into graphs with counts; picklable, without torch.

    Attributes:
        blocks: keys of `WIDTHS`; their columns stand in this order.
    """

    blocks: tuple[str, ...]

    def __call__(self, items: Sequence[chem.Molecule]) -> CountedGraphs:
        """Reads SMILES or RDKit molecules, one row each."""
        return counted(graph.featurize(items), self.blocks)


def counted(graphs: Graphs, blocks: Sequence[str]) -> CountedGraphs:
    """Counts substructures of packed graphs.

    Args:
        graphs: n of them.
        blocks: keys of `WIDTHS`.
    """
    parts = [
        _few(graphs.select(np.arange(start, min(start + _AT_ONCE, len(graphs)))), blocks)
        for start in range(0, max(len(graphs), 1), _AT_ONCE)
    ]
    sizes, columns, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
    return CountedGraphs(graphs, starts_of(sizes), columns, counts, tuple(blocks))


def _few(graphs: Graphs, blocks: Sequence[str]) -> tuple[Indices, Small, Small]:
    """Substructures per graph, and columns and counts of them all."""
    bonded = substructures.Bonded.of(graphs)
    width = sum(WIDTHS[name] for name in blocks)
    first = np.repeat(np.arange(len(graphs), dtype=np.int32) * np.int32(width), graphs.sizes)
    places: list[npt.NDArray[np.int32]] = []
    before = 0
    for name in blocks:
        atoms, hashes = substructures.BLOCKS[name](bonded)
        columns = (hashes % np.uint32(WIDTHS[name])).astype(np.int32)
        places.append(first.take(atoms) + columns + np.int32(before))
        before += WIDTHS[name]
    place = np.sort(np.concatenate(places))
    news = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]])[: len(place)])
    counts = np.minimum(np.diff(news, append=len(place)), _MOST).astype(np.uint16)
    rows, columns = np.divmod(place[news], np.int32(width))
    sizes = np.bincount(rows, minlength=len(graphs))
    return sizes, columns.astype(np.uint16), counts
