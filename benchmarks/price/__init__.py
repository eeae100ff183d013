"""What embedding a library costs: core-hours, bytes and euros, from rates measured in one run.

Each student is measured in fresh processes, by turns with the others, in seconds of the processor:
`molkd embed` of one file from reading to the finished output, and its start-up apart from that.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import get_args, get_type_hints

from molkd.benchmarks.price.records import (
    RESULTS,
    PriceCell,
    PriceMeasurement,
    PriceRequest,
    PriceResults,
    measured_of,
    read,
)
from molkd.benchmarks.speed import machine
from molkd.benchmarks.speed.corpus import Library
from molkd.benchmarks.speed.records import write
from molkd.benchmarks.speed.subprocess_ import ROOT, run_worker
from molkd.embedding import EmbedSettings
from molkd.errors import ConfigError
from molkd.students import shipped

__all__ = ["RESULTS", "PriceOptions", "PriceResults", "dtypes", "measure", "read", "run"]

_PATIENCE = 3600.0

Measure = Callable[[PriceRequest], PriceMeasurement]
"""Measures one student once; raises `CellError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOptions:
    """How to measure.

    Attributes:
        students: names or folders.
        rows: molecules of a round.
        repeats: rounds.
    """

    students: tuple[str, ...] = ()
    rows: int = 10_000
    repeats: int = 3

    def __post_init__(self) -> None:
        for name in ("rows", "repeats"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)}")


def dtypes() -> tuple[str, ...]:
    """Returns the types of values in which embeddings can be written."""
    return get_args(get_type_hints(EmbedSettings)["dtype"])


def students() -> tuple[str, ...]:
    """Returns the newest version of each student of the package."""
    names = shipped.names()
    newest = (shipped.folder_of(name.rpartition("-")[0]) for name in names)
    return tuple(sorted({folder.name for folder in newest if folder is not None}))


def measure(request: PriceRequest) -> PriceMeasurement:
    """Measures one student in a fresh process.

    Raises:
        CellError: it raised, or the process died or took far too long.
    """
    return run_worker(
        "molkd.benchmarks.price.worker",
        asdict(request),
        measured_of,
        root=ROOT,
        threads=1,
        patience=_PATIENCE,
    )


def run(
    library: Library,
    options: PriceOptions,
    output: Path,
    *,
    measure: Measure,
    say: Callable[[str], None],
) -> PriceResults:
    """Measures what `output` lacks, and writes it after every measurement.

    Raises:
        ConfigError: the library is too small, or `output` holds another measurement.
        MolkdError: something cannot be measured, read or written.
    """
    rows = options.rows
    if rows > len(library.items):
        raise ConfigError(
            f"{library.source} has {len(library.items):,} distinct molecules, fewer than {rows:,}: "
            "give a larger file, or fewer --rows"
        )
    results = _opened(library, options, output)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "library.smi.gz"
        lines = "".join(f"{text}\n" for text in library.lines[:rows]).encode()
        source.write_bytes(gzip.compress(lines, mtime=0))
        for turn in range(options.repeats):
            for student in options.students or students():
                label = shipped.label_of(student)
                if (label, turn) in {cell.place for cell in results.cells}:
                    continue
                say(f"{label}, round {turn + 1} of {options.repeats} ...")
                found = measure(PriceRequest(student=student, source=str(source), dtypes=dtypes()))
                cell = PriceCell(label=label, turn=turn, measured=found)
                results = replace(results, cells=(*results.cells, cell))
                write(output, results)
    return results


def _opened(library: Library, options: PriceOptions, output: Path) -> PriceResults:
    """Returns what an earlier run has measured in the same way.

    Raises:
        ConfigError: it measured something else.
    """
    settings = {
        "library": library.source,
        "digest": library.digest,
        "rows": options.rows,
        "dtypes": list(dtypes()),
        "threads": 1,
        "clock": "processor",
    }
    fresh = PriceResults(machine.facts("cpu"), settings)
    if not output.exists():
        return fresh
    found = read(output)
    sides = [{**one.machine, **one.settings} for one in (found, fresh)]
    others = [name for name in sides[1] if sides[0].get(name) != sides[1][name]]
    if others:
        raise ConfigError(
            f"{output} was measured with another {', '.join(others)}: give another --output, or "
            "--overwrite"
        )
    return found
