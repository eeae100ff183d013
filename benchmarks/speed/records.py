"""What was measured, as data: rounds of seconds in one JSON file, and the figures they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from molkd.errors import CorruptFileError
from molkd.runtime import files

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Cell = TypeVar("Cell")

Work = Literal["embedding", "training"]

BASE = "base"
"""Name of the rounds of the plain library alone, to which all others are compared."""

TOTAL = "total"
"""Name of the rounds from items to embedding, or of an epoch of training."""

PARTS = ("parse", "check", "featurise", "collate", "network", "rest", "write")
"""Names of the rounds of steps. A student has all but the rest, which is what anything else has
after reading; molecules alone are checked after they were parsed, by molkd's own rules. Writing a
Parquet file is a step of `molkd embed`, and not in the total."""

Clock = Literal["processor", "wall"]
"""What is measured: seconds of the processor do not depend on what else the machine does."""


def clock_of(device: str, threads: int) -> Clock:
    """Returns what is measured on a device: one thread of a CPU has its own seconds."""
    return "processor" if device == "cpu" and threads == 1 else "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRequest:
    """What a child process is asked to measure.

    Attributes:
        spec: of the embedder; see `molkd.benchmarks.embedders`.
        work: embedding or training.
        reads: what the embedder reads; see `molkd.items.MODALITIES`.
        size: items of the library.
        items: file with one item per line, `size` of them or more.
        repeats: rounds.
        seconds: what all rounds together may take; a slow embedder gets fewer items.
        count: items to measure whatever they take; None leaves it to `seconds`.
        threads: of the computation.
        device: where networks run.
        weights_dir: folder of pretrained weights.
    """

    spec: str
    work: Work
    reads: str
    size: int
    items: str
    repeats: int
    seconds: float
    count: int | None = None
    threads: int = 1
    device: str = "cpu"
    weights_dir: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedMeasurement:
    """What a child process found.

    Attributes:
        count: items of each round.
        failed: those that could not be embedded.
        reason: why the first of them could not.
        parameters: number of weights; 0 for what has none, None where unknown.
        startup: seconds from nothing to the first embedding: imports, weights, first call.
        rounds: "base", "total" or name of a part -> seconds of each round; see
            `interleaved.by_turns`.
        resident_mb: resident size before the work, in MB: libraries and weights.
        added_mb: by how much the work raised its peak, in MB; None where the system does not say.
    """

    count: int
    failed: int
    reason: str
    parameters: int | None
    startup: float
    rounds: Mapping[str, tuple[float, ...]]
    resident_mb: float | None
    added_mb: float | None

    def ratios(self, name: str = TOTAL) -> tuple[float, ...]:
        """Returns the time of each round over that of the plain library in the same round."""
        pairs = zip(self.rounds[name], self.rounds[BASE], strict=True)
        return tuple(own / max(base, 1e-9) for own, base in pairs)

    @property
    def per_second(self) -> float:
        """Items per second, of the median round."""
        return self.count / max(median(self.rounds[TOTAL]), 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedCell:
    """One embedder at one size, or in training.

    Attributes:
        label: of the embedder.
        digest: of the embedder.
        work: embedding or training.
        size: items of the library.
        measured: None where it failed.
        error: why it failed.
    """

    label: str
    digest: str
    work: Work
    size: int
    measured: SpeedMeasurement | None = None
    error: str = ""

    @property
    def place(self) -> tuple[str, Work, int]:
        """What identifies a cell in one file."""
        return self.label, self.work, self.size


@dataclass(frozen=True, slots=True)
class SpeedResults:
    """All cells of a run.

    Attributes:
        machine: facts about it, in words and numbers.
        settings: what decides the figures, embedders and sizes apart.
        cells: in the order in which they were asked for.
    """

    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    cells: tuple[SpeedCell, ...] = ()


def write(path: Path, results: DataclassInstance) -> None:
    """Writes a file of results, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    files.write_json(path, asdict(results))


def read(path: Path) -> SpeedResults:
    """Reads a file of results.

    Raises:
        CorruptFileError: it is missing, cut, or holds something else.
    """
    return SpeedResults(*parsed(path, SpeedCell, measured_of, command="molkd bench speed"))


def parsed(
    path: Path,
    cell: Callable[..., Cell],
    measurement: Callable[[Mapping[str, Any]], object],
    *,
    command: str,
) -> tuple[Mapping[str, Any], Mapping[str, Any], tuple[Cell, ...]]:
    """Reads machine, settings and cells of a file that a command wrote.

    Raises:
        CorruptFileError: it is missing, cut, or holds something else.
    """
    fields = cast("Any", files.read_json(path))
    try:
        cells = [
            {**each, "measured": each["measured"] and measurement(each["measured"])}
            for each in fields["cells"]
        ]
        return fields["machine"], fields["settings"], tuple(cell(**each) for each in cells)
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptFileError(f"{path} holds no results of {command!r}: {error}") from error


def measured_of(fields: Mapping[str, Any]) -> SpeedMeasurement:
    """Reads what a child process wrote.

    Raises:
        KeyError, TypeError, AttributeError: it is something else.
    """
    rounds = {name: tuple(seconds) for name, seconds in fields["rounds"].items()}
    changed: dict[str, Any] = {**fields, "rounds": rounds}
    return SpeedMeasurement(**changed)


def summary(results: SpeedResults) -> dict[str, dict[str, float | int | None]]:
    """Returns for each embedder the figures of its largest size, for plots beside quality.

    Returns:
        Label -> "per_second", "parameters", "size", "ratio" (time over that of the plain library),
        "added_mb" and, where training was measured, "training_per_second". Embedders that failed
        are not there.
    """
    figures: dict[str, dict[str, float | int | None]] = {}
    for cell in sorted(_done(results.cells), key=lambda cell: cell.size):
        measured = cast("SpeedMeasurement", cell.measured)
        entry = figures.setdefault(cell.label, {})
        if cell.work == "training":
            entry["training_per_second"] = measured.per_second
        else:
            entry |= {
                "per_second": measured.per_second,
                "parameters": measured.parameters,
                "size": cell.size,
                "ratio": median(measured.ratios()),
                "added_mb": measured.added_mb,
            }
    order = [cell.label for cell in results.cells]
    whole = [label for label in figures if "per_second" in figures[label]]
    return {label: figures[label] for label in sorted(whole, key=order.index)}


def _done(cells: Sequence[SpeedCell]) -> list[SpeedCell]:
    return [cell for cell in cells if cell.measured is not None]
