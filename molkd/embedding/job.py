"""One run of an embedding job: chunks to parts, parts to the output."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from molkd.embedding.encoders import (
    ChunkFeaturizer,
    Encoder,
    FeaturizedChunk,
    arithmetic,
    familiar_columns,
)
from molkd.embedding.extent import Extent
from molkd.embedding.parts import Finished, Parts, remove_leftovers
from molkd.embedding.settings import EmbedSettings, Summary, settings_path
from molkd.errors import ItemError, OutputError, ShapeError
from molkd.formats import WRITERS
from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import read
from molkd.formats.sources import Source
from molkd.formats.writers import format_of
from molkd.formats.writers.kept import columns_of
from molkd.formats.writers.table import EmbeddedChunk, Result
from molkd.items import MODALITIES, Modality
from molkd.runtime import files, locks, memory, settings, versions
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress
from molkd.types import digest_of

_REASONS_KEPT = 5
_PACKAGES = ("rdkit", "torch")


@dataclass
class Tally:
    """Counts of the rows so far, in memory that does not grow with their number."""

    total: int = 0
    invalid: int = 0
    shortened: int = 0
    resumed: int = 0
    parts: int = 0
    named: bool = False
    outside: int = 0
    beyond: Counter[str] = field(default_factory=Counter[str])
    reasons: dict[int, str] = field(default_factory=dict[int, str])
    keys: Any = field(default_factory=hashlib.sha256)

    def add(self, row0: int, part: EmbeddedChunk) -> dict[int, str]:
        """Counts a part; returns row -> reason of its invalid rows."""
        reasons = {row0 + row: why for row, why in enumerate(part.errors) if why is not None}
        self.total += len(part)
        self.invalid += len(reasons)
        self.shortened += part.shortened
        self.parts += 1
        self.named = self.named or any(name is not None for name in part.ids)
        self.reasons = dict(sorted({**self.reasons, **reasons}.items())[:_REASONS_KEPT])
        return reasons


@dataclass(frozen=True)
class Job:
    """One encoder, one source and one output."""

    encoder: Encoder[Any]
    source: Source
    output: Path
    options: EmbedSettings
    name: str

    def run(self, jobs: int, *, progress: bool) -> Summary:
        """Embeds what no finished part holds, then writes the output from all parts.

        Raises:
            OutputError: another process writes the same output.
        """
        with locks.held(self._parts.folder):
            return self._run(jobs, progress=progress)

    def _run(self, jobs: int, *, progress: bool) -> Summary:
        started = time.monotonic()
        parts = self._parts
        remove_leftovers(self.output)
        tally = Tally()
        with Progress("embed", self._extent.rows, unit=self._kind.name, shown=progress) as bar:

            def count(row0: int, part: EmbeddedChunk) -> None:
                reasons = tally.add(row0, part)
                if reasons and self.options.on_invalid == "error":
                    raise ItemError(reasons, total=tally.total)
                bar.update(len(part), total=self._extent.rows)

            self._complete(parts, tally, count, jobs)
        self._assemble(parts, tally)
        parts.remove()
        return self._summary(tally, seconds=time.monotonic() - started)

    def already_done(self) -> Summary:
        """Confirms that the existing output is what this job would write.

        Raises:
            OutputError: it is not.
        """
        record = settings.read_record(settings_path(self.output))
        if "rows" not in record or record.get("sha256") != files.sha256_of(self.output):
            raise OutputError(f"{self.output} exists: give --overwrite to replace it")
        tally = Tally(
            total=int(str(record["rows"])),
            invalid=int(str(record.get("invalid"))),
            resumed=int(str(record["rows"])),
        )
        for chunk in self._chunks():
            tally.keys.update(self._key(chunk).encode())
        if record.get("run") != self._run_digest(tally):
            others = versions.differences(record.get("versions"))
            raise OutputError(
                f"{self.output} exists and was made from other {self._kind.name}, by another model "
                f"or with other settings{others and f' ({others})'}: give --overwrite to replace it"
            )
        self._parts.remove()  # where the run was killed before it could do so
        return self._summary(tally, seconds=0.0, already_done=True)

    def _summary(self, tally: Tally, *, seconds: float, already_done: bool = False) -> Summary:
        return Summary(
            output=self.output,
            total=tally.total,
            noun=self._kind.name,
            invalid=tally.invalid,
            shortened=tally.shortened,
            dropped=tally.invalid if self.options.on_invalid == "drop" else 0,
            resumed=tally.resumed,
            seconds=seconds,
            reasons=tally.reasons,
            outside=tally.outside,
            beyond=dict(tally.beyond.most_common()),
            already_done=already_done,
        )

    @property
    def _kind(self) -> Modality:
        return MODALITIES[self.encoder.modality]

    @property
    def _parts(self) -> Parts:
        return Parts(self.output.with_name(f"{self.output.name}.parts"))

    def _chunks(self) -> Iterator[Chunk]:
        options = self.options
        style = self._kind.style
        columns = Columns(options.column, options.id_column, style, options.keep)
        rows = options.chunk_rows or self._kind.chunk
        return self._extent.chunks(read, columns, rows)

    @cached_property
    def _extent(self) -> Extent:
        return Extent(self.source, self.options.input_format, self._kind.style)

    def _key(self, chunk: Chunk) -> str:
        """Returns a digest of all that the content of a part depends on."""
        return digest_of([self._common, chunk.digest])

    @cached_property
    def _common(self) -> dict[str, object]:
        """What the content of every part depends on."""
        return {
            "encoder": self.encoder.digest,
            "versions": versions.installed(_PACKAGES),
            **self.options.content,
        }

    def _run_digest(self, tally: Tally) -> str:
        form = format_of(self.output, self.options.format)
        return digest_of([tally.keys.hexdigest(), form, self.options.on_invalid])

    def _complete(
        self, parts: Parts, tally: Tally, count: Callable[[int, EmbeddedChunk], None], jobs: int
    ) -> None:
        """Writes the parts that are missing; counts all of them."""
        waiting: deque[tuple[int, str, Chunk]] = deque()

        def unfinished() -> Iterator[Chunk]:
            for index, chunk in enumerate(self._chunks()):
                key = self._key(chunk)
                tally.keys.update(key.encode())
                part = parts.find(index, key)
                if part is None:
                    waiting.append((index, key, chunk))
                    yield chunk
                else:
                    tally.resumed += len(part)
                    count(chunk.row0, part)

        featurize = ChunkFeaturizer[Any](
            self.encoder.featurize, self.encoder.modality, self.options.standardize
        )
        chunks = unfinished()
        first = list(islice(chunks, 2))
        jobs = jobs if len(first) > 1 else 1  # a process would start for longer than it worked
        tasks = chain(first, chunks)
        results = cast("Generator[Any]", ordered_map(featurize, tasks, jobs=jobs))
        with contextlib.closing(results):
            for featurized in results:
                index, key, chunk = waiting.popleft()
                part = self._embedded(chunk, featurized, tally)
                parts.write(index, key, part)
                count(chunk.row0, part)
                memory.release()

    def _embedded(
        self, chunk: Chunk, featurized: FeaturizedChunk[Any], tally: Tally
    ) -> EmbeddedChunk:
        with arithmetic(self.encoder, self.options.precision):
            embedded = self.encoder.encode(featurized.packed, batch_size=self.options.batch_size)
        tally.outside += len(embedded.outside)
        tally.beyond.update(what for every in embedded.outside.values() for what in every)
        expected = (len(chunk), self.encoder.embedding_dim)
        if embedded.values.shape != expected:
            raise ShapeError(
                f"{self.name} returned an array of shape {embedded.values.shape} for rows from "
                f"{chunk.row0}, expected {expected}"
            )
        failures = {**embedded.failures, **featurized.failures}
        with np.errstate(over="ignore"):
            values = embedded.values.astype(self.options.dtype)
        for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
            finite = np.isfinite(embedded.values[row]).all()
            what = "a value exceeds float16" if finite else "the model returned NaN or infinity"
            failures.setdefault(row, what)
        values[list(failures)] = np.nan
        errors = [failures.get(row) for row in range(len(chunk))]
        shortened = self.encoder.shortened(featurized.packed)
        kept = {**chunk.kept}
        if self.options.with_domain:
            kept |= familiar_columns(self.encoder, featurized.packed, embedded.values)
        return EmbeddedChunk(chunk.ids, chunk.labels, errors, values, shortened, kept)

    def _assemble(self, parts: Parts, tally: Tally) -> None:
        """Writes the output and, just before it is put in place, the settings."""
        drop = self.options.on_invalid == "drop"
        facts = {
            "model": self.name,
            "model_digest": self.encoder.digest,
            "settings": json.dumps(settings.as_table(self.options)),
            **versions.installed(_PACKAGES),
        }
        chunks = Finished(parts, tally.parts, tally.named, drop)
        result = Result(
            rows=tally.total - tally.invalid * drop,
            dim=self.encoder.embedding_dim,
            column=self._kind.style.column,
            dtype=self.options.dtype,
            metadata={f"molkd.{key}": value for key, value in facts.items()},
            chunks=chunks,
            kept=columns_of(chunks) if self.options.adds_columns else {},
        )
        write = WRITERS[format_of(self.output, self.options.format)]
        with files.atomic_path(self.output) as temporary:
            write(temporary, result, final=self.output)
            record = {
                "model": self.name,
                "model_digest": self.encoder.digest,
                "versions": versions.installed(_PACKAGES),
                "rows": tally.total,
                "invalid": tally.invalid,
                "shortened": tally.shortened,
                "run": self._run_digest(tally),
                "sha256": files.sha256_of(temporary),
            }
            settings.write(settings_path(self.output), self.options, record=record)
