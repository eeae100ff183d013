"""Where the time of an embedding goes: one round, as a whole and step by step."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from molkd.benchmarks.embedders.store import Embeds
from molkd.benchmarks.speed.interleaved import Clock
from molkd.benchmarks.speed.records import TOTAL
from molkd.benchmarks.tasks.modalities import BenchmarkModality
from molkd.formats import WRITERS
from molkd.formats.writers.table import EmbeddedChunk, Result
from molkd.types import Embeddings


@runtime_checkable
class Staged(Protocol):
    """What a student is, as far as its steps can be timed: see `molkd.students.Student`."""

    def featurize(self, items: Sequence[Any]) -> Any:
        """Reads items."""
        ...

    def collate(self, prepared: Any) -> Any:
        """Makes a batch."""
        ...

    def encode(self, prepared: Any) -> Any:
        """Collates and embeds."""
        ...


def one_round(
    model: Embeds, items: Sequence[Any], modality: BenchmarkModality, clock: Clock
) -> dict[str, float]:
    """Embeds items once as a whole, and once step by step.

    Returns:
        "total" or name of a step -> seconds, see `records.PARTS`. What a step is given contains the
        work of those before: of reading its own share is what it takes longer than they, or 0.
        Of anything but a student, the rest is what the whole takes longer than reading.
    """
    total, embedded = _measured(clock, lambda: model.embed(items))
    reading = _reading(items, modality, clock)
    read = sum(reading.values())
    rounds = {TOTAL: total, **reading}
    if isinstance(model, Staged):
        rounds |= _stages(model, items, read, clock)
    else:
        rounds["rest"] = max(total - read, 0.0)
    with contextlib.suppress(ImportError):  # an older build's writers are asked otherwise
        rounds["write"], _ = _measured(clock, lambda: _write(embedded, items, modality))
    return rounds


def _measured(clock: Clock, work: Callable[[], Any]) -> tuple[float, Any]:
    start = clock()
    result = work()
    return clock() - start, result


def _reading(items: Sequence[Any], modality: BenchmarkModality, clock: Clock) -> dict[str, float]:
    """What the plain library takes to read, if reading is what it does, and molkd's own checks."""
    whole, _ = _measured(clock, lambda: modality.parse(items))
    if not modality.parse_reads:
        return {"parse": whole}
    plain, _ = _measured(clock, lambda: modality.read(items))
    return {"parse": min(plain, whole), "check": max(whole - plain, 0.0)}


def _stages(model: Staged, items: Sequence[Any], read: float, clock: Clock) -> dict[str, float]:
    """Featurises, collates and runs the network, as `embed` does in one go."""
    featurising, prepared = _measured(clock, lambda: model.featurize(items))
    with _timed(model, "collate", clock) as spent:
        encoding, _ = _measured(clock, lambda: model.encode(prepared))
    return {
        "featurise": max(featurising - read, 0.0),
        "collate": spent["seconds"],
        "network": encoding - spent["seconds"],
    }


def _write(embedded: Embeddings, items: Sequence[Any], modality: BenchmarkModality) -> None:
    """Writes a Parquet file, as `molkd embed` does."""
    from molkd.formats.encodings import Encoding

    rows = range(len(items))
    chunk = EmbeddedChunk(
        list(map(str, rows)),
        list(map(modality.line, items)),
        [embedded.failures.get(row) for row in rows],
        embedded.values,
    )
    result = Result(
        rows=len(items),
        column=modality.base.style.column,
        encoding=Encoding("float32", embedded.values.shape[1]),
        metadata={},
        chunks=[chunk],
        kept={},
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embeddings.parquet"
        WRITERS["parquet"](path, result, final=path)


@contextlib.contextmanager
def _timed(thing: object, method: str, clock: Clock) -> Generator[Mapping[str, float]]:
    """Adds up the time that a method of an object takes within the block."""
    spent = {"seconds": 0.0}
    original = getattr(thing, method)

    def timed(*arguments: Any) -> Any:
        start = clock()
        result = original(*arguments)
        spent["seconds"] += clock() - start
        return result

    setattr(thing, method, timed)  # on the object: it hides the method of the class
    try:
        yield spent
    finally:
        delattr(thing, method)
