"""One page about a library: what is in it, what failed, what is alike, what it resembles."""

from __future__ import annotations

import base64
import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from molkd.library import cards, histograms
from molkd.library.cards import Card, Section
from molkd.library.compounds import Composition, composition
from molkd.library.given import of
from molkd.library.groups import names_of
from molkd.library.hits import Hit, Hits, Queries
from molkd.library.maps.map import Map, map_of
from molkd.library.maps.settings import MapSettings
from molkd.library.picking import clusters
from molkd.library.picks import Clusters
from molkd.library.results import Shown, refuse_suffix
from molkd.library.searching import search
from molkd.library.table import Library
from molkd.library.templates import template
from molkd.runtime import files

_HERE = Path(__file__).parent
DRUGS = _HERE / "drugs.csv"
"""Seventy known drugs, whose neighbours a report shows unless others are given."""

_CLUSTER = "cluster"
_SHOWN = 12
"""Groups, reasons and neighbours that a page shows of each kind."""


@dataclass(frozen=True, eq=False, repr=False)
class Report(Shown):
    """What there is to say about a library; a notebook shows it as its page.

    Attributes:
        library: the molecules.
        composition: what they are.
        clusters: of their embeddings, the largest first.
        map: where they lie.
        drugs: neighbours of known molecules.
        title: of the page.
    """

    library: Library
    composition: Composition
    clusters: Clusters
    map: Map
    drugs: Hits
    title: str

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """Counts, and where everything comes from."""
        library, found = self.library, self.composition
        known = [text for text in found.compounds if text]
        facts = [
            ("rows", f"{len(library):,}"),
            ("embedded", f"{int(library.valid.sum()):,}"),
            ("different compounds", f"{len(set(known)):,}"),
            ("without regard to stereochemistry", f"{len({*found.skeletons} - {''}):,}"),
            ("library", library.digest[:16]),
        ]
        if library.model or library.model_digest:
            facts.append(("model", f"{library.model} {library.model_digest[:16]}".strip()))
        return facts

    @cached_property
    def failures(self) -> list[tuple[str, int, str]]:
        """Reason, how many rows have it, and the first of them; the most frequent first."""
        counts = Counter(self.library.reasons.values())
        first = {why: row for row, why in sorted(self.library.reasons.items(), reverse=True)}
        return [
            (why, count, f"{self._named(first[why])}: {self.library.smiles[first[why]]}")
            for why, count in counts.most_common()
        ]

    @cached_property
    def nearest_drugs(self) -> list[tuple[str, Hit]]:
        """Each known molecule with its nearest neighbour, the nearest pair first."""
        pairs = [
            (self.drugs.queries.ids[query], hits[0])
            for query, hits in self.drugs.neighbours.items()
            if hits
        ]
        return sorted(pairs, key=lambda pair: -pair[1].cosine)

    def write(self, path: str | Path) -> None:
        """Writes the page.

        Raises:
            ConfigError: the suffix is not .html.
            OutputError: the file cannot be written.
        """
        path = Path(path)
        refuse_suffix(path, (".html",))
        files.write_bytes(path, self.page().encode())

    def page(self) -> str:
        """Returns an HTML page that needs nothing beside itself."""
        return template(_HERE, "report.html").render(
            title=self.title,
            style="".join(
                (_HERE / name).read_text(encoding="utf-8") for name in ("cards.css", "report.css")
            ),
            facts=self.facts,
            failures=self.failures[:_SHOWN],
            other_failures=len(self.failures[_SHOWN:]),
            histograms=self._histograms(),
            map=base64.b64encode(self.map.figure()).decode("ascii"),
            map_title=f"{self.map.title} by {self.map.layout.words}",
            groups=[
                self._repeats("Duplicates", self.composition.duplicates, "rows are one compound"),
                self._repeats(
                    "Stereoisomers",
                    self.composition.stereoisomers,
                    "compounds differ in stereochemistry alone",
                ),
            ],
            clusters=self._cards(self.clusters.sections(_SHOWN)[0].cards),
            cluster_words=str(self.clusters),
            drugs=self._cards([self._neighbour(name, hit) for name, hit in self.nearest_drugs]),
        )

    def __str__(self) -> str:
        return f"{self.title}: {self.composition}"

    def sections(self, most: int) -> list[Section]:  # noqa: ARG002
        """Returns the page."""
        return [Section(self.title, page=self.page())]

    def _named(self, row: int) -> str:
        name = self.library.ids[row]
        return ", ".join([f"row {row}", *([name] if name else [])])

    def _histograms(self) -> list[tuple[str, str]]:
        drawn = {
            name: histograms.svg(name, values)
            for name, values in self.composition.properties.items()
        }
        return [(name, picture) for name, picture in drawn.items() if picture]

    def _repeats(self, title: str, groups: Sequence[Sequence[int]], what: str) -> Mapping[str, str]:
        """A part of the page about rows that belong together."""
        shown = [
            Card(
                self.library.smiles[rows[0]],
                "; ".join(self._named(row) for row in rows[:3])
                + (f" and {len(rows) - 3} more" if len(rows) > 3 else ""),
                ((title.lower(), str(len(rows))),),
            )
            for rows in groups[:_SHOWN]
        ]
        count = sum(len(rows) for rows in groups)
        noun = "group" if len(groups) == 1 else "groups"
        words = f"{len(groups):,} {noun}, {count:,} rows: in each, {what}." if groups else "None."
        return {"title": title, "words": words, "cards": self._cards(shown)}

    def _neighbour(self, name: str, hit: Hit) -> Card:
        likeness = "" if np.isnan(hit.tanimoto) else f"{hit.tanimoto:.2f}"
        facts = (("nearest to", name), ("cosine", f"{hit.cosine:.3f}"), ("Tanimoto", likeness))
        return Card(hit.smiles, hit.id, facts)

    def _cards(self, shown: Sequence[Card]) -> str:
        return cards.cards(Section(cards=tuple(shown[:_SHOWN])))


def report_of(
    library: Any,
    *,
    drugs: Queries | None = None,
    clusters_count: int | None = None,
    layout: Literal["pca", "umap"] = "pca",
    model: str | None = None,
    title: str = "",
    jobs: int = 1,
    progress: bool = True,
) -> Report:
    """Looks at a library from all sides.

    Args:
        library: a library, its file, or what `molkd.library.of` takes.
        drugs: molecules whose neighbours are shown; by default `DRUGS`.
        clusters_count: how many clusters; by default 2 to 24, with the size of the library.
        layout: of the map: the quick one, or the telling one.
        model: the student that made the embeddings, where the file does not say.
        title: of the page.
        jobs: processes.
        progress: whether to show progress bars.

    Raises:
        InputError: no row has an embedding, or another student made them.
        MissingExtraError: a layout by UMAP is asked for, and umap-learn is not installed.
    """
    library = of(library)
    count = clusters_count or int(np.clip(np.sqrt(library.valid.sum() / 4), 2, 24))
    found = clusters(library, count)
    columns = {**library.columns, _CLUSTER: names_of(found.labels)}
    colored = replace(library, columns=columns)
    return Report(
        library=library,
        composition=composition(library.smiles, jobs=jobs, progress=progress),
        clusters=found,
        map=map_of(colored, MapSettings(layout=layout, color=_CLUSTER)),
        drugs=search(library, drugs or known_drugs(), k=1, model=model),
        title=title or f"{len(library):,} molecules",
    )


def known_drugs() -> Queries:
    """Returns the molecules of `DRUGS`, by their international nonproprietary names."""
    with DRUGS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return Queries([row["name"] for row in rows], [row["smiles"] for row in rows])
