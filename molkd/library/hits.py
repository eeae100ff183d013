"""What a search found: a table, a page, and a drawing of itself in a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa

from molkd.formats import readers
from molkd.formats.columns import Columns
from molkd.library.cards import Card, Section
from molkd.library.given import as_file
from molkd.library.results import ResultTable, Shown, carried, values_of

_SHOWN = 10
_OWN = (
    ("query", pa.int64()),
    ("query_id", pa.string()),
    ("query_smiles", pa.string()),
    ("rank", pa.int64()),
    ("row", pa.int64()),
    ("id", pa.string()),
    ("smiles", pa.string()),
    ("cosine", pa.float32()),
    ("tanimoto", pa.float32()),
)


@dataclass(frozen=True, repr=False)
class Queries(Shown):
    """Molecules whose neighbours are looked for.

    Attributes:
        ids: one identifier per query, "" where it has none; its number where no query has one.
        smiles: as they were given; "" where there is none.
        reasons: query -> why it cannot be read, where its file says so already.
    """

    ids: list[str]
    smiles: list[str]
    reasons: Mapping[int, str] = field(default_factory=dict[int, str])

    def __len__(self) -> int:
        return len(self.smiles)

    def __str__(self) -> str:
        return "1 molecule" if len(self) == 1 else f"{len(self):,} molecules"

    def sections(self, most: int) -> list[Section]:
        """Returns the first molecules."""
        pairs = zip(self.smiles[: min(most, _SHOWN)], self.ids, strict=False)
        return [Section(cards=tuple(Card(smiles, name) for smiles, name in pairs))]

    @classmethod
    def of(cls, molecules: Any) -> Self:
        """Takes one SMILES, or some, or what else `molkd.library.of` takes but for a file."""
        given = [molecules] if isinstance(molecules, str) else molecules
        if isinstance(given, Sequence) and not given:
            return cls([], [])
        with as_file(given) as source:
            return cls.read(source)

    @classmethod
    def read(
        cls, source: str | Path, *, column: str | None = None, kind: str | None = None
    ) -> Self:
        """Reads a file of molecules, in any format that `molkd embed` reads.

        Raises:
            ConfigError: its suffix names no format.
            InputError: it cannot be read, or holds no molecules.
        """
        ids, smiles, reasons = list[str | None](), list[str](), dict[int, str]()
        for chunk in readers.read(source, Columns(column), kind=kind):
            ids += chunk.ids
            smiles += [text or "" for text in chunk.labels]
            reasons |= {chunk.row0 + row: why for row, why in chunk.failures.items()}
        named = any(name is not None for name in ids)
        names = [(name or "") if named else str(row) for row, name in enumerate(ids)]
        return cls(names, smiles, reasons)


@dataclass(frozen=True, slots=True)
class Hit:
    """A neighbour of a query.

    Attributes:
        row: of the library.
        id: its identifier.
        smiles: as the library holds it.
        cosine: of the embeddings.
        tanimoto: on ECFP4; NaN where it cannot be read.
    """

    row: int
    id: str
    smiles: str
    cosine: float
    tanimoto: float


@dataclass(frozen=True, eq=False, repr=False)
class Hits(ResultTable):
    """The neighbours of queries.

    Attributes:
        queries: what was asked.
        reasons: query -> why it has no neighbours.
        neighbours: query -> its neighbours, nearest first; of every query that has an embedding.
        columns: name -> column of the library, an Arrow array with a value per neighbour, in order.
        notes: what else there is to say, in sentences.
    """

    queries: Queries
    reasons: Mapping[int, str]
    neighbours: Mapping[int, Sequence[Hit]]
    columns: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    title: ClassVar[str] = "Nearest neighbours"

    def __str__(self) -> str:
        noun = "query" if len(self.queries) == 1 else "queries"
        return f"{self.count:,} neighbours of {len(self.queries):,} {noun}"

    @property
    def count(self) -> int:
        """How many neighbours there are of all queries."""
        return sum(map(len, self.neighbours.values()))

    @cached_property
    def table(self) -> Any:
        """An Arrow table: a row per neighbour, and one with the reason for each failed query.

        Columns query (its number), query_id, query_smiles, rank (from 1), row (of the library), id,
        smiles, cosine, tanimoto, those that the library keeps, and error.
        """
        lines, places = list[tuple[Any, ...]](), list[int | None]()
        found = 0
        for query, smiles in enumerate(self.queries.smiles):
            asked = (query, self.queries.ids[query], smiles)
            if query in self.reasons:
                lines.append((*asked, *[None] * 6, self.reasons[query]))
                places.append(None)
            for rank, hit in enumerate(self.neighbours.get(query, ()), 1):
                likeness = None if math.isnan(hit.tanimoto) else hit.tanimoto
                lines.append((*asked, rank, *astuple(hit)[:-1], likeness, None))
                places.append(found)
                found += 1
        *own, errors = zip(*lines, strict=True)
        arrays = {
            name: pa.array(values, kind) for (name, kind), values in zip(_OWN, own, strict=True)
        }
        arrays |= carried(self.columns, pa.array(places, pa.int64()), taken=(*arrays, "error"))
        return pa.table({**arrays, "error": pa.array(errors, pa.string())})

    def sections(self, most: int) -> list[Section]:
        """Returns each query with its neighbours, drawn until there are `most` of them."""
        sections, found = list[Section](), 0
        for query, smiles in enumerate(self.queries.smiles):
            own = self.neighbours.get(query, ())
            if most <= 0:
                break
            named = self.queries.ids[query]
            told = "" if named in {"", str(query)} else f": {named}"
            name = f"Query {query}{told}"
            cards = tuple(
                Card(
                    hit.smiles,
                    hit.id,
                    (
                        ("cosine", f"{hit.cosine:.3f}"),
                        ("Tanimoto", "" if math.isnan(hit.tanimoto) else f"{hit.tanimoto:.2f}"),
                        *values_of(self.columns, found + place),
                    ),
                )
                for place, hit in enumerate(own[:most])
            )
            found += len(own)
            most -= len(own) + 1
            sections.append(Section(name, smiles, self.reasons.get(query, ""), cards))
        return sections
