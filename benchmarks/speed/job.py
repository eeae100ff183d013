"""All cells of a run, one fresh process each; finished ones are not measured again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from molkd.benchmarks.embedders import Embedder
from molkd.benchmarks.speed import records
from molkd.benchmarks.speed.corpus import Library
from molkd.benchmarks.speed.records import SpeedCell, SpeedRequest, SpeedResults, Work
from molkd.benchmarks.speed.subprocess_ import CellError, Measure
from molkd.errors import ConfigError, CorruptFileError

TRAINED = 2048
"""Items of an epoch, at most: an epoch costs the same per item from a few batches on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedOptions:
    """How to measure.

    Attributes:
        sizes: items of the libraries, ascending.
        seconds: what the rounds of a cell may take together, about.
        repeats: rounds of a cell.
        threads: of the computation.
        device: where networks run.
        weights_dir: folder of pretrained weights.
    """

    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    seconds: float = 60.0
    repeats: int = 5
    threads: int = 1
    device: str = "cpu"
    weights_dir: Path | None = None

    def __post_init__(self) -> None:
        checks = {
            "sizes must be whole numbers of at least 1": bool(self.sizes) and min(self.sizes) >= 1,
            "seconds must be positive": self.seconds > 0,
            "repeats must be at least 1": self.repeats >= 1,
            "threads must be at least 1": self.threads >= 1,
        }
        for rule, holds in checks.items():
            if not holds:
                raise ConfigError(f"{rule}, not {getattr(self, rule.split()[0])!r}")
        object.__setattr__(self, "sizes", tuple(sorted(set(self.sizes))))

    def request(self, spec: str, modality: str, work: Work, size: int, items: Path) -> SpeedRequest:
        """Returns what a child process is asked."""
        return SpeedRequest(
            spec=spec,
            work=work,
            reads=modality,
            size=size,
            items=str(items),
            repeats=self.repeats,
            seconds=self.seconds,
            threads=self.threads,
            device=self.device,
            weights_dir=None if self.weights_dir is None else str(self.weights_dir),
        )


def settings(options: SpeedOptions, library: Library) -> dict[str, Any]:
    """Returns what must be equal for two cells to belong in one file."""
    return {
        "reads": library.modality.name,
        "library": library.source,
        "distinct": len(library.items),
        "digest": library.digest,
        "threads": options.threads,
        "device": options.device,
        "clock": records.clock_of(options.device, options.threads),
        "seconds": options.seconds,
        "repeats": options.repeats,
    }


def works(options: SpeedOptions, *, trained: bool) -> list[tuple[Work, int]]:
    """Returns the cells of one embedder: every size, then training where it is a student."""
    sizes: list[tuple[Work, int]] = [("embedding", size) for size in options.sizes]
    return [*sizes, ("training", min(max(options.sizes), TRAINED))] if trained else sizes


def opened(
    path: Path, machine: Mapping[str, Any], chosen: Mapping[str, Any], *, say: Callable[[str], None]
) -> SpeedResults:
    """Reads an unfinished run, or begins one.

    Raises:
        ConfigError: the file was measured on another machine or with other settings.
    """
    fresh = SpeedResults(machine, chosen)
    if not path.exists():
        return fresh
    try:
        earlier = records.read(path)
    except CorruptFileError as error:
        say(f"{error}: everything is measured again")
        return fresh
    differences = [
        f"{name}: {old.get(name)!r} there, {new[name]!r} now"
        for old, new in ((earlier.machine, machine), (earlier.settings, chosen))
        for name in new
        if old.get(name) != new[name]
    ]
    if differences:
        raise ConfigError(
            f"{path} was measured otherwise ({'; '.join(differences)}): give another --output, or "
            "--overwrite"
        )
    return earlier


def run(
    embedders: Sequence[tuple[Embedder, Sequence[tuple[Work, int]]]],
    library: Library,
    options: SpeedOptions,
    start: SpeedResults,
    *,
    measure: Measure,
    keep: Callable[[SpeedResults], None],
    say: Callable[[str], None],
) -> SpeedResults:
    """Measures all cells that are not finished.

    Args:
        embedders: each with its cells; see `works`.
        library: the items.
        options: how to measure.
        start: what an earlier run found; cells of an embedder that has changed do not count.
        measure: measures one cell.
        keep: is given the results after each cell.
        say: is told what happens.

    Returns:
        All cells: those of `start` too that were not asked for now.
    """
    done = {cell.place: cell for cell in start.cells}
    modality = library.modality.name
    with tempfile.TemporaryDirectory() as folder:
        items = Path(folder) / "items.txt"
        library.write(items, max(options.sizes))
        for embedder, cells in embedders:
            for work, size in cells:
                place = (embedder.label, work, size)
                if _finished(done.get(place), embedder):
                    say(f"{embedder.label}, {work} of {size:,}: measured already")
                    continue
                say(f"{embedder.label}, {work} of {size:,} ...")
                request = options.request(embedder.spec, modality, work, size, items)
                done[place] = cell = _cell(embedder, work, size, request, measure)
                keep(replace(start, cells=tuple(done.values())))
                if cell.error:
                    say(f"{embedder.label}, {work} of {size:,} failed: {cell.error}")
                    break  # larger sizes would fail alike
    return replace(start, cells=tuple(done.values()))


def _finished(cell: SpeedCell | None, embedder: Embedder) -> bool:
    return cell is not None and not cell.error and cell.digest == embedder.digest


def _cell(
    embedder: Embedder, work: Work, size: int, request: SpeedRequest, measure: Measure
) -> SpeedCell:
    cell = SpeedCell(label=embedder.label, digest=embedder.digest, work=work, size=size)
    try:
        return replace(cell, measured=measure(request))
    except CellError as error:
        return replace(cell, error=str(error))
