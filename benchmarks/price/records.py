"""What was measured of `molkd embed`, as data in one JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from molkd.benchmarks.speed.records import parsed

RESULTS = "price.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """What a child process is asked to measure.

    Attributes:
        student: name or folder.
        source: file of molecules; all its rows are embedded.
        dtypes: of the outputs, each of which is written once.
    """

    student: str
    source: str
    dtypes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMeasurement:
    """What a child process found, in one process and one thread, in seconds of the processor.

    Attributes:
        rows: of the source.
        invalid: those without an embedding.
        dimensions: of an embedding.
        startup: of a command that embeds one molecule.
        passing: of passing over all rows, as a shard does with those of others.
        parsing: of RDKit's parsing of all of them, mean of before and after: a yardstick for
            other machines, and for one that does other work.
        seconds: dtype -> from the first row read to the finished file, without start-up.
        output: dtype -> bytes of the finished file, with identifiers and SMILES.
        parts: dtype -> bytes of the finished parts beside it, as long as it is not finished.
        peak_mb: largest memory of the process, in MB.
    """

    rows: int
    invalid: int
    dimensions: int
    startup: float
    passing: float
    parsing: float
    seconds: Mapping[str, float]
    output: Mapping[str, int]
    parts: Mapping[str, int]
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCell:
    """One student in one round.

    Attributes:
        label: of the student.
        turn: number of the round, from 0.
        measured: what was found.
    """

    label: str
    turn: int
    measured: PriceMeasurement

    @property
    def place(self) -> tuple[str, int]:
        """What identifies a cell in one file."""
        return self.label, self.turn


@dataclass(frozen=True, slots=True)
class PriceResults:
    """All rounds.

    Attributes:
        machine: facts about it.
        settings: what decides the figures, the students apart.
        cells: in the order in which they were measured.
    """

    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    cells: tuple[PriceCell, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """What all rounds say of one student: medians.

    Attributes:
        label: of the student.
        dimensions: of an embedding.
        rate: molecules per core-second of `molkd embed` with float32, start-up apart.
        slowest: the same of the slowest round.
        fastest: the same of the fastest round.
        startup: seconds of a command that embeds one molecule.
        passing: rows per core-second that a shard passes over.
        parsing: molecules per core-second that RDKit parses in the same rounds.
        output: dtype -> bytes per row of the finished file.
        parts: dtype -> bytes per row of the finished parts.
        peak_mb: largest memory of one process.
    """

    label: str
    dimensions: int
    rate: float
    slowest: float
    fastest: float
    startup: float
    passing: float
    parsing: float
    output: Mapping[str, float]
    parts: Mapping[str, float]
    peak_mb: float


def summary(results: PriceResults) -> list[Student]:
    """Returns every student, the fastest first."""
    labels = dict.fromkeys(cell.label for cell in results.cells)
    found = [
        _student(label, [cell.measured for cell in results.cells if cell.label == label])
        for label in labels
    ]
    return sorted(found, key=lambda one: -one.rate)


def _student(label: str, rounds: list[PriceMeasurement]) -> Student:
    rates = [one.rows / one.seconds["float32"] for one in rounds]
    return Student(
        label=label,
        dimensions=rounds[0].dimensions,
        rate=median(rates),
        slowest=min(rates),
        fastest=max(rates),
        startup=median(one.startup for one in rounds),
        passing=median(one.rows / one.passing for one in rounds),
        parsing=median(one.rows / one.parsing for one in rounds),
        output={name: size / rounds[0].rows for name, size in rounds[0].output.items()},
        parts={name: size / rounds[0].rows for name, size in rounds[0].parts.items()},
        peak_mb=median(one.peak_mb for one in rounds),
    )


def read(path: Path) -> PriceResults:
    """Reads a file of results.

    Raises:
        CorruptFileError: it is missing, cut, or holds something else.
    """
    return PriceResults(*parsed(path, PriceCell, measured_of, command="molkd bench price"))


def measured_of(fields: Mapping[str, Any]) -> PriceMeasurement:
    """Reads what a child process wrote.

    Raises:
        TypeError: it is something else.
    """
    return PriceMeasurement(**fields)
