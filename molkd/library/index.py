"""An index on disk: embeddings in lists of near ones, of which a search reads a few.

An inverted file (Jégou et al. 2011, doi:10.1109/TPAMI.2010.57): k-means parts the embeddings, each
is stored beside those of its centre, and a query is compared with those of the nearest centres. A
folder with arrays that are mapped into memory, `rows.parquet` (what the rows say beside their
embeddings) and `index.json` (what it was made of).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from molkd.errors import CorruptFileError, InputError
from molkd.formats.blocks import EmbeddingBlocks
from molkd.formats.embeddings import StoredEmbeddings
from molkd.library.exact import Neighbours
from molkd.library.rows import LibraryRows
from molkd.runtime import arrays, files
from molkd.types import Matrix, Rows

FACTS, TEXTS = "index.json", "rows.parquet"
_ARRAYS = ("vectors", "rows", "starts", "centres")
VERSION = 1

AMONG = 10
"""Neighbours that the recall is about."""


@dataclass(frozen=True, kw_only=True)
class IndexFacts:
    """What an index was made of, and how well it finds.

    Attributes:
        rows: of the library.
        indexed: those of them that have an embedding.
        dim: width of the embedding.
        library: digest of the library.
        stamp: see `LibraryRows`.
        model: what its file calls the student.
        model_digest: of the student.
        standardize: what was done to its molecules first.
        lists: parts of the index.
        probes: those that a search reads.
        recall: share of the exact 10 nearest among the 10 found, over sampled rows; the row itself
            does not count.
        sample: rows that it was measured on.
        milliseconds: processor time of a query asked alone.
        seconds: that building took.
        peak_megabytes: largest memory of the process that built it; nan where it is not known.
        sizes: file -> bytes.
        version: of this format.
    """

    rows: int
    indexed: int
    dim: int
    library: str
    stamp: tuple[int, ...]
    model: str
    model_digest: str
    standardize: str
    lists: int
    probes: int
    recall: float
    sample: int
    milliseconds: float
    seconds: float
    peak_megabytes: float
    sizes: Mapping[str, int]
    version: int = VERSION

    def __str__(self) -> str:
        disk = sum(self.sizes.values()) / 1e6
        return (
            f"{self.indexed:,} of {self.rows:,} rows in {self.lists:,} lists, {self.probes} of "
            f"which a search reads; built in {self.seconds:.0f} s; {disk:,.0f} MB on disk, "
            f"{self.peak_megabytes:,.0f} MB of memory at most; recall@{AMONG} {self.recall:.3f} "
            f"against exact search on {self.sample} rows; {self.milliseconds:.1f} ms of processor "
            "time per query"
        )


@dataclass(frozen=True)
class Index:
    """An index on disk, opened: its arrays are mapped into memory, not read.

    Attributes:
        folder: where it is.
        facts: what it was made of.
    """

    folder: Path
    facts: IndexFacts

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.folder)

    @property
    def model(self) -> str:
        """See `Library`."""
        return self.facts.model

    @property
    def model_digest(self) -> str:
        """See `Library`."""
        return self.facts.model_digest

    @property
    def standardize(self) -> str:
        """See `Library`."""
        return self.facts.standardize

    @property
    def dim(self) -> int:
        """Width of the embedding."""
        return self.facts.dim

    def __len__(self) -> int:
        return self.facts.rows

    @staticmethod
    def is_one(place: str | Path) -> bool:
        """Whether a place is a folder with an index."""
        return (Path(place) / FACTS).is_file()

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Opens an index that `build` has made.

        Raises:
            CorruptFileError: a file is missing, cut, or of another version of molkd.
        """
        folder = Path(folder)
        raw = files.read_json(folder / FACTS)
        again = f"delete {folder} and build it again"
        if raw.get("version") != VERSION:
            raise CorruptFileError(
                f"{folder} is an index of version {raw.get('version')}, and this molkd reads "
                f"{VERSION}: {again}"
            )
        try:
            facts = IndexFacts(**raw)
            sizes = dict(facts.sizes)
        except (TypeError, ValueError) as error:
            raise CorruptFileError(f"{folder / FACTS} is damaged ({error}): {again}") from error
        for name, size in sizes.items():
            file = folder / name
            found = file.stat().st_size if file.is_file() else 0
            if found != size:
                raise CorruptFileError(f"{file} has {found:,} bytes, not {size:,}: {again}")
        return cls(folder, facts)

    def nearest(self, queries: Matrix, k: int, /) -> Neighbours:
        """Finds near rows: of the 10 nearest, the share that `facts.recall` says.

        Args:
            queries: shape (q, d), of length 1.
            k: how many of each.
        """
        return self._lists.nearest(queries, k, self.facts.probes)

    def take(self, rows: Rows, /) -> StoredEmbeddings:
        """Returns some rows without their embeddings, in the order given."""
        return self._texts.take(rows)

    def refuse_other(self, library: LibraryRows) -> None:
        """Refuses a library that the index was not made of.

        Raises:
            InputError: its model or its rows are others; names both digests.
        """
        facts = self.facts
        unchanged = bool(library.stamp) and list(library.stamp) == list(facts.stamp)
        for what, own, other in (
            ("model", library.model_digest, facts.model_digest),
            ("library", facts.library if unchanged else library.digest, facts.library),
        ):
            if own != other:
                raise InputError(
                    f"{self.folder} is no index of {library.name}: the {what} has digest "
                    f"{own[:12] or 'unknown'}, that of the index {other[:12] or 'unknown'}; name "
                    "another folder, or delete this one to build it again"
                )

    @cached_property
    def _texts(self) -> EmbeddingBlocks:
        return EmbeddingBlocks((self.folder / TEXTS,))

    @cached_property
    def _lists(self) -> Lists:
        return Lists(*(arrays.map_array(self.folder / f"{name}.npy") for name in _ARRAYS))


@dataclass(frozen=True, slots=True)
class Lists:
    """Embeddings of length 1, those of one centre together.

    Attributes:
        vectors: shape (m, d), in 16 bits.
        rows: shape (m,): of the library.
        starts: shape (c + 1,): list i holds vectors from starts[i] to starts[i + 1].
        centres: shape (c, d).
    """

    vectors: Any
    rows: Any
    starts: Any
    centres: Any

    def nearest(self, queries: Matrix, k: int, probes: int) -> Neighbours:
        """Finds the nearest rows in the lists of the `probes` nearest centres."""
        best = Neighbours.none(len(queries), k)
        likeness = queries @ np.asarray(self.centres).T
        probes = min(probes, likeness.shape[1])
        chosen = np.argpartition(-likeness, probes - 1, axis=1)[:, :probes]
        for part in np.unique(chosen).tolist():
            span = slice(int(self.starts[part]), int(self.starts[part + 1]))
            asking = np.flatnonzero((chosen == part).any(axis=1))
            best.compete(asking, queries[asking], self.vectors[span], self.rows[span])
        return best
