"""A map of a library: every molecule a point, near to those that a student finds alike."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from molkd.errors import ConfigError, InputError
from molkd.library.cards import Section
from molkd.library.given import of
from molkd.library.groups import clusters_of
from molkd.library.maps import chart, pages
from molkd.library.maps.depictions import BLOCK
from molkd.library.maps.layout import Layout, layout
from molkd.library.maps.settings import MapSettings
from molkd.library.maps.shades import (
    KINDS_DARK,
    KINDS_LIGHT,
    MOST,
    RAMP_DARK,
    RAMP_LIGHT,
    Shade,
    known,
    shades,
    tabular,
)
from molkd.library.results import Shown, refuse_suffix
from molkd.library.table import Library
from molkd.runtime import files
from molkd.runtime.progress import Progress
from molkd.types import Matrix

DRAWN = 250_000
"""Rows up to which a page holds drawn molecules unless told otherwise: some 80 bytes each."""

FORMATS = (".html", ".png", ".csv", ".parquet")
_IN_A_NOTEBOOK = 5_000
"""Rows up to which a notebook shows the page; of more, the figure."""

_PLACES = ("id", "smiles", "x", "y")
_PAGE = pages.Assembly(
    template="map.html",
    styles=("base.css", "map.css"),
    scripts=(
        *("molecules.js", "molfiles.js", "data.js", "cards.js", "points.js"),
        *("colors.js", "filters.js", "map.js", "gestures.js", "start.js"),
    ),
    constants={
        "RAMP_LIGHT": RAMP_LIGHT,
        "RAMP_DARK": RAMP_DARK,
        "KINDS_LIGHT": KINDS_LIGHT,
        "KINDS_DARK": KINDS_DARK,
    },
)


@dataclass(frozen=True, eq=False, repr=False)
class Map(Shown):
    """Molecules with places on a plane; a notebook shows it as its page.

    Attributes:
        library: the molecules.
        layout: where they lie; rows without an embedding are not drawn.
        columns: name -> Arrow array of n values; what can be shown.
        settings: how it is made and shown.
        selected: rows that are selected at first.
    """

    library: Library
    layout: Layout
    columns: Mapping[str, Any]
    settings: MapSettings
    selected: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """Of the page and of the figure."""
        return self.settings.title or f"{len(self.rows):,} molecules"

    @cached_property
    def rows(self) -> list[int]:
        """Shape (m,): the rows that have a place."""
        return np.flatnonzero(np.isfinite(self.layout.places).all(axis=1)).tolist()

    @cached_property
    def shades(self) -> list[Shade]:
        """The columns as they are shown, of the rows that have a place."""
        rows = pa.array(self.rows, pa.int64())
        taken = {name: column.take(rows) for name, column in self.columns.items()}
        return shades(taken, self.settings.categories)

    def save(self, path: str | Path, *, jobs: int = 1) -> None:
        """Writes the map.

        Args:
            path: .html is the page, .png a figure; .csv and .parquet are a table of id, smiles, x
                and y, from which it can be drawn again.
            jobs: processes that draw molecules.

        Raises:
            ConfigError: another suffix.
            OutputError: it cannot be written.
        """
        path = Path(path)
        writers: Mapping[str, Callable[[], bytes]] = {
            ".html": lambda: self.page(jobs=jobs, progress=True).encode(),
            ".png": self.figure,
            ".csv": lambda: _written(self._table(), pc.write_csv),
            ".parquet": lambda: _written(self._table(), pq.write_table),
        }
        refuse_suffix(path, FORMATS)
        files.refuse_folder(path, f"map{path.suffix}")
        files.write_bytes(path, writers[path.suffix]())

    def page(self, *, jobs: int = 1, progress: bool = False) -> str:
        """Returns the page: all that it needs is within, and it asks no network."""
        pieces, rows = pages.Pieces(), self.rows
        smiles = [self.library.smiles[row] for row in rows]
        corner, extent, whole = _fitted(self.layout.places[rows])
        pieces.add_array("x", whole[:, 0])
        pieces.add_array("y", whole[:, 1])
        pieces.add_texts("ids", [self.library.ids[row] for row in rows])
        pieces.add_texts("smiles", smiles)
        columns = [pieces.add_column(number, one) for number, one in enumerate(self.shades)]
        wanted = self.settings.drawings
        drawn = len(rows) <= DRAWN if wanted is None else wanted
        if drawn:
            with Progress("draw", len(rows), unit="molecules", shown=progress) as bar:
                for done in pieces.add_drawings(smiles, jobs=jobs):
                    bar.reach(done)
        info = {
            "rows": len(rows),
            "corner": corner,
            "extent": extent,
            "columns": columns,
            "color": self.settings.color or "",
            "drawings": drawn,
            "block": BLOCK,
            "textBlock": pages.TEXTS,
            "selected": np.flatnonzero(np.isin(rows, self.selected)).tolist(),
            "name": _file_name(self.title),
        }
        texts = {"title": self.title, "rows": len(rows), "about": self._about()}
        return _PAGE.page(info, pieces, texts)

    def figure(self) -> bytes:
        """Returns the map as a PNG."""
        shade = next((one for one in self.shades if one.name == self.settings.color), None)
        return chart.png(
            self.layout.places[self.rows], shade, title=self.title, words=self.layout.words
        )

    def _about(self) -> list[tuple[str, str]]:
        library, missing = self.library, len(self.library) - len(self.rows)
        about = [("layout", self.layout.words), ("library", library.digest[:16])]
        if library.model or library.model_digest:
            about.append(("model", f"{library.model} {library.model_digest[:16]}".strip()))
        if missing:
            why = next(iter(library.reasons.values()), "")
            noun = "row" if missing == 1 else "rows"
            about.append(("not drawn", f"{missing:,} {noun} without an embedding, first: {why}"))
        return about

    def _table(self) -> pa.Table:
        added = {
            name: tabular(column) for name, column in self.columns.items() if name not in _PLACES
        }
        table = pa.table(
            {
                "id": pa.array(list(self.library.ids), pa.string()),
                "smiles": pa.array(list(self.library.smiles), pa.string()),
                "x": pa.array(self.layout.places[:, 0], pa.float32(), from_pandas=True),
                "y": pa.array(self.layout.places[:, 1], pa.float32(), from_pandas=True),
                **added,
            }
        )
        return table.replace_schema_metadata(
            {"molkd.layout": self.layout.words, "molkd.library": self.library.digest}
        )

    def __str__(self) -> str:
        return f"{self.title} by {self.layout.words}"

    def sections(self, most: int) -> list[Section]:  # noqa: ARG002
        """Returns the page; of a large library the figure."""
        if len(self.rows) > _IN_A_NOTEBOOK:
            return [Section(self.title, picture=self.figure())]
        return [Section(self.title, page=self.page())]


def map_of(
    library: Any,
    settings: MapSettings | None = None,
    *,
    places: Layout | None = None,
    selected: Collection[str] = (),
) -> Map:
    """Makes a map of a library.

    Args:
        library: a library, its file, or what `molkd.library.of` takes.
        settings: how it is made and shown; by default UMAP.
        places: where molecules lie, found before: see `molkd.library.maps.coordinates.read`; then
            nothing is computed.
        selected: identifiers of rows that are selected at first.

    Raises:
        ConfigError: more clusters than rows, a column of that name, or a colour of free text.
        InputError: no row has an embedding, or an identifier is in no row.
        MissingExtraError: umap-learn is not installed.
        UnknownNameError: there is no column of that name.
    """
    library, settings = of(library), settings or MapSettings()
    columns = dict(library.columns)
    if settings.clusters:
        if "cluster" in columns:
            raise ConfigError(
                "there is a column 'cluster' already: leave out the number of clusters"
            )
        columns["cluster"] = clusters_of(library.values, settings.clusters, seed=settings.seed)
    _check_columns(columns, settings)
    if not settings.color and settings.clusters:
        settings = replace(settings, color="cluster")
    chosen = _rows_of(library, selected)
    found = places or layout(library.values, settings)
    return Map(library, found, columns, settings, chosen)


def _check_columns(columns: Mapping[str, Any], settings: MapSettings) -> None:
    for name in settings.categories:
        known(name, columns)
    if settings.color:
        known(settings.color, columns)
        mine = [settings.color] if settings.color in settings.categories else []
        (shade,) = shades({settings.color: columns[settings.color]}, mine)
        if shade.kind == "text":
            raise ConfigError(
                f"column {settings.color!r} holds {len(set(shade.texts))} different texts: "
                f"colours are of numbers and of up to {MOST} categories; "
                "name it in categories to see the most frequent ones"
            )


def _rows_of(library: Library, ids: Collection[str]) -> tuple[int, ...]:
    wanted = set(ids)
    rows = tuple(row for row, name in enumerate(library.ids) if name in wanted)
    missing = wanted - {library.ids[row] for row in rows}
    if missing:
        shown = ", ".join(map(repr, sorted(missing)[:5]))
        raise InputError(
            f"{len(missing)} of {len(wanted)} identifiers to select are in no row: {shown}"
            f"{', ...' if len(missing) > 5 else ''}; the first of the library is {library.ids[0]!r}"
        )
    return rows


def _fitted(places: Matrix) -> tuple[list[float], float, Any]:
    """Corner and extent of the square around places, and places as 0 to 65535 in it."""
    low, high = places.min(axis=0).astype(float), places.max(axis=0).astype(float)
    extent = float((high - low).max()) or 1.0
    corner = (low + high) / 2 - extent / 2
    whole = np.clip(np.rint((places - corner) / extent * 65535), 0, 65535).astype(np.uint16)
    return corner.tolist(), extent, whole


def _written(table: pa.Table, write: Callable[[pa.Table, io.BytesIO], None]) -> bytes:
    buffer = io.BytesIO()
    write(table, buffer)
    return buffer.getvalue()


def _file_name(title: str) -> str:
    """A title as the beginning of a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()[:40] or "map"
