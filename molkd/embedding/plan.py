"""What is to be done: the chunks of a source, where they go, and which are finished already."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from molkd.embedding.extent import Extent
from molkd.embedding.layout import Layout, Place
from molkd.embedding.parts import Parts
from molkd.embedding.settings import EmbedSettings
from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import agreed, kind_of, read
from molkd.formats.sources import Source, listed
from molkd.formats.values import writable
from molkd.items import MODALITIES
from molkd.types import digest_of

State = Literal["open", "finished", "written", "end"]


@dataclass(frozen=True, slots=True)
class Task:
    """A chunk of a source.

    Attributes:
        place: the file where it goes.
        index: its number there.
        key: a digest of all that its part depends on.
        items: a digest of what was read.
        row0: its first row in the source.
        state: "open" is to be embedded, "finished" lies as a part, "written" in the output; the
            last one is the "end" of the source: `row0` is the number of its rows, and it has no
            chunk.
        chunk: what is to be embedded; None where nothing is.
    """

    place: Place
    index: int
    key: str
    items: str
    row0: int
    state: State
    chunk: Chunk | None


@dataclass(frozen=True)
class Plan:
    """The tasks of a job, in the order of the source; can be sent to where they are done.

    Attributes:
        source: what is read.
        modality: what its items are.
        layout: where they go.
        options: of the job.
        common: what the content of every part depends on.
        overwrite: whether files that are there count for nothing.
    """

    source: Source
    modality: str
    layout: Layout
    options: EmbedSettings
    common: Mapping[str, object]
    overwrite: bool = False

    def __iter__(self) -> Iterator[Task]:
        def where(chunk: Chunk) -> Place:
            return self.layout.place(chunk.row0)

        for place, chunks in itertools.groupby(self._chunks(), where):
            parts = None if self.written(place) else Parts(place.parts)
            for index, chunk in enumerate(chunks):
                yield self._task(place, index, chunk, parts)
        rows = self.extent.rows or 0
        yield Task(self.layout.place(rows), 0, "", "", rows, "end", None)

    def written(self, place: Place) -> bool:
        """Whether a file is there already, and is to stay."""
        return place.output.exists() and not self.overwrite

    @cached_property
    def extent(self) -> Extent:
        """How many rows there are, as far as this process has read."""
        return Extent(self.source, self.options.input_format, MODALITIES[self.modality].style)

    @property
    def kept(self) -> Sequence[str]:
        """Columns of the source that every file of the output has, once one has been read."""
        agreement = self._columns.first
        found = agreement.kept if agreement else None
        if found is None:  # properties, which are named one by one, or a format without columns
            found = () if self._columns.keeps_all else self.options.keep
        return [writable(name) for name in found]

    def _task(self, place: Place, index: int, chunk: Chunk, parts: Parts | None) -> Task:
        items = chunk.digest
        key = digest_of([self.common, items])
        state: State = "open"
        if parts is None:
            state = "written"
        elif parts.holds(index, key):
            state = "finished"
        left = chunk if state == "open" else None
        return Task(place, index, key, items, chunk.row0, state, left)

    def _chunks(self) -> Iterator[Chunk]:
        rows = self.options.chunk_rows or MODALITIES[self.modality].chunk
        return self.extent.chunks(read, self._columns, rows, self.layout.spans)

    @cached_property
    def _columns(self) -> Columns:
        options, style = self.options, MODALITIES[self.modality].style
        columns = Columns(options.column, options.id_column, style, options.keep)
        names = listed(self.source)
        return agreed(names, columns, kind_of(names, options.input_format, style))
