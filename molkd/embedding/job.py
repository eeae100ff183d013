"""One run of an embedding job: tasks to parts, parts to the files of the output."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from molkd.embedding.embedder import Embedded, Embedder
from molkd.embedding.encoders import FAMILIARITY, REASON, Encoder, KnowingEncoder, encoding_of
from molkd.embedding.engines.base import Engine
from molkd.embedding.layout import Layout, Place
from molkd.embedding.parts import Finished, Parts
from molkd.embedding.plan import Plan, Task
from molkd.embedding.settings import EmbedSettings, Summary
from molkd.embedding.tally import Tally
from molkd.errors import ItemError, OutputError
from molkd.formats import WRITERS
from molkd.formats.encodings import Encoding
from molkd.formats.sources import Source
from molkd.formats.writers import format_of
from molkd.formats.writers.kept import columns_of
from molkd.formats.writers.table import KeptColumn, Result
from molkd.items import MODALITIES, Modality
from molkd.runtime import files, locks, memory, settings, versions
from molkd.runtime.progress import Progress
from molkd.types import digest_of

_PACKAGES = ("rdkit", "torch")


@dataclass(frozen=True)
class Job:
    """One encoder, one source and one layout of the output."""

    encoder: Encoder[Any]
    source: Source
    layout: Layout
    options: EmbedSettings
    name: str
    engine: Engine
    overwrite: bool = False

    def run(self, jobs: int, *, progress: bool) -> Summary:
        """Embeds what no finished part holds, and writes every file as soon as it is whole.

        Raises:
            OutputError: another process writes the same output, or a file is there already that
                this job would not write.
        """
        started = time.monotonic()
        embedder = Embedder(self.encoder, self.options, self.name)
        total, fresh = Tally(), False
        with contextlib.ExitStack() as stack:
            done = stack.enter_context(
                contextlib.closing(self.engine(self._plan, embedder, jobs=jobs))
            )
            idle = self.layout.single and self._plan.written(self.layout.place(0))
            if not idle:
                stack.enter_context(locks.held(self.layout.held))
            bar = stack.enter_context(
                Progress("embed", self._rows, unit=self._kind.name, shown=progress and not idle)
            )
            for place, tasks in itertools.groupby(done, lambda one: _group(one[0])):
                if place is None:
                    self._end(next(tasks)[0].row0)
                    continue
                written = self._plan.written(place)
                if not (written or fresh):
                    self._withdraw()
                make = self._confirm if written else functools.partial(self._write, bar)
                total.join(make(place, tasks))
                fresh = fresh or not written
        return self._summary(
            total, seconds=time.monotonic() - started, already_done=total.total > 0 and not fresh
        )

    def _withdraw(self) -> None:
        """Takes back, where there are several files, what says that all of them are there."""
        if not self.layout.single:
            for path in self.layout.claims:
                with files.explained(path):
                    path.unlink(missing_ok=True)

    def _end(self, rows: int) -> None:
        """Notes, where there are several files, that all of this shard are written."""
        layout = self.layout
        if not layout.single:
            record = {"rows": rows, "rows_per_file": layout.rows_per_file}
            settings.write(layout.finished, self.options, record=record)

    def _write(
        self, bar: Progress, place: Place, tasks: Iterator[tuple[Task, Embedded | None]]
    ) -> Tally:
        """Writes a file, which a shard of another number of jobs may be about to do too."""
        if self.layout.single:  # and locked already
            return self._complete(bar, place, tasks)
        with locks.held(place.parts):
            return self._complete(bar, place, tasks)

    def _complete(
        self, bar: Progress, place: Place, tasks: Iterator[tuple[Task, Embedded | None]]
    ) -> Tally:
        """Completes the parts of a file, then writes it from all of them."""
        parts, tally = Parts(place.parts), Tally()
        files.remove_leftovers(place.output)
        for task, embedded in tasks:
            tally.see(task)
            if embedded is not None:
                parts.write(task.index, task.key, embedded.part)
            part = parts.read(task.index) if embedded is None else embedded.part
            reasons = tally.add(task.row0, part, embedded)
            if reasons and self.options.on_invalid == "error":
                raise ItemError(reasons, total=tally.total)
            bar.update(len(part), total=self._rows)
            memory.release()
        self._assemble(place, parts, tally)
        parts.remove()
        return tally

    def _confirm(self, place: Place, tasks: Iterator[tuple[Task, Embedded | None]]) -> Tally:
        """Confirms that a file that is there is what this job would write.

        Raises:
            OutputError: it is not.
        """
        record = settings.read_record(place.settings)
        rows, invalid = record.get("rows"), record.get("invalid")
        whole = record.get("sha256") == files.sha256_of(place.output)
        if not (whole and isinstance(rows, int) and isinstance(invalid, int)):
            raise OutputError(f"{place.output} exists: {self._remedy}")
        tally = Tally(total=rows, invalid=invalid, resumed=rows)
        for task, _ in tasks:
            tally.see(task)
        if record.get("run") != self._run_digest(place, tally):
            others = versions.differences(record.get("versions"))
            raise OutputError(
                f"{place.output} exists and was made from other {self._kind.name}, by another "
                f"model or with other settings{others and f' ({others})'}: {self._remedy}"
            )
        if place.parts.exists():  # a run was killed before it removed them, or another is at work
            with contextlib.suppress(OutputError), locks.held(place.parts):
                Parts(place.parts).remove()
        return tally

    def _summary(self, tally: Tally, *, seconds: float, already_done: bool) -> Summary:
        return Summary(
            output=self.layout.output,
            total=tally.total,
            noun=self._kind.name,
            invalid=tally.invalid,
            shortened=tally.shortened,
            clipped=tally.clipped,
            dropped=tally.invalid if self.options.on_invalid == "drop" else 0,
            resumed=tally.resumed,
            seconds=seconds,
            reasons=tally.reasons,
            outside=tally.outside,
            beyond=dict(tally.beyond.most_common()),
            already_done=already_done,
        )

    @property
    def _remedy(self) -> str:
        """What to do about a file that is there and is not what this job would write."""
        if self.layout.single:
            return "give --overwrite to replace it"
        return "remove it, to have it made anew, or give --overwrite to make all files anew"

    @property
    def _kind(self) -> Modality:
        return MODALITIES[self.encoder.modality]

    @property
    def _rows(self) -> int | None:
        """How many rows this job will read, as far as that is known."""
        rows = self._plan.extent.rows
        return None if rows is None else self.layout.share(rows)

    @cached_property
    def _plan(self) -> Plan:
        common: dict[str, object] = {
            "encoder": self.encoder.digest,
            "versions": versions.installed(_PACKAGES),
            **self.options.content,
        }
        if scale := self._encoding.scale:
            common["scale"] = scale
        if self.options.with_domain and isinstance(self.encoder, KnowingEncoder):
            common["corpus"] = self.encoder.corpus_digest()
        modality = self.encoder.modality
        return Plan(self.source, modality, self.layout, self.options, common, self.overwrite)

    @cached_property
    def _encoding(self) -> Encoding:
        return encoding_of(self.encoder, self.options)

    def _run_digest(self, place: Place, tally: Tally) -> str:
        form = format_of(place.output, self.options.format)
        return digest_of([tally.keys.hexdigest(), form, self.options.on_invalid])

    def _assemble(self, place: Place, parts: Parts, tally: Tally) -> None:
        """Writes a file and, just before it is put in place, its settings."""
        drop = self.options.on_invalid == "drop"
        facts = {
            "model": self.name,
            "model_digest": self.encoder.digest,
            "settings": json.dumps(settings.as_table(self.options)),
            **versions.installed(_PACKAGES),
            **self._encoding.facts,
        }
        chunks = Finished(parts, tally.parts, tally.named, drop, place.start)
        result = Result(
            rows=tally.total - tally.invalid * drop,
            column=self._kind.style.column,
            encoding=self._encoding,
            metadata={f"molkd.{key}": value for key, value in facts.items()},
            chunks=chunks,
            kept=self._kept(chunks),
        )
        write = WRITERS[format_of(place.output, self.options.format)]
        with files.atomic_path(place.output) as temporary:
            write(temporary, result, final=place.output)
            record = self._record(place, tally) | {"sha256": files.sha256_of(temporary)}
            settings.write(place.settings, self.options, record=record)

    def _kept(self, chunks: Finished) -> dict[str, KeptColumn]:
        """The columns beside those of every file.

        What a column holds is known where all rows are; of several files each must have the same
        columns, so that they hold the texts that were read.
        """
        if not self.options.adds_columns:
            return {}
        if self.layout.single:
            return columns_of(chunks)
        kept = {name: KeptColumn("text") for name in self._plan.kept}
        if self.options.with_domain:
            kept |= {FAMILIARITY: KeptColumn("number"), REASON: KeptColumn("text")}
        return kept

    def _record(self, place: Place, tally: Tally) -> dict[str, object]:
        return {
            "model": self.name,
            "model_digest": self.encoder.digest,
            "versions": versions.installed(_PACKAGES),
            "storage": digest_of(self._encoding.facts),
            "start": place.start,
            "rows": tally.total,
            "invalid": tally.invalid,
            "shortened": tally.shortened,
            "clipped": tally.clipped,
            "named": tally.named,
            "reasons": dict(sorted(tally.kinds.items())),
            "items": tally.items.hexdigest(),
            "run": self._run_digest(place, tally),
        }


def _group(task: Task) -> Place | None:
    """The file that a task is of; None for the end of all."""
    return None if task.state == "end" else task.place
