"""What training steps of the variants of an ablation cost, as data in one JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from molkd.benchmarks.speed.records import parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two trainings that take turns.

    Attributes:
        settings: table of `molkd.distillation.settings.DistillSettings`.
        atoms: teachers whose states of atoms it reads.
    """

    settings: Mapping[str, Any]
    atoms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRequest:
    """What a child process is asked to measure.

    Attributes:
        variant: what is measured.
        reference: what it is compared with.
        bank: folder that holds the teachers of both.
        steps: of a round.
        repeats: rounds.
        threads: of the computation.
        device: where students are trained.
        weights_dir: folder of pretrained weights, for teachers that are asked during training.
    """

    variant: Side
    reference: Side
    bank: str
    steps: int
    repeats: int
    threads: int = 1
    device: str = "cpu"
    weights_dir: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostMeasurement:
    """What a child process found.

    Attributes:
        batch: rows of a step.
        seconds: per step of the variant, of each round.
        reference: per step of the reference, just before and just after each round.
        added_mb: by how much a run of the variant raised the peak of memory, in MB: of the
            accelerator where there is one; None where the system does not say.
        objective: parameters of the objective, thrown away after training.
        student: parameters of the student.
    """

    batch: int
    seconds: tuple[float, ...]
    reference: tuple[float, ...]
    added_mb: float | None
    objective: int
    student: int

    @property
    def per_step(self) -> float:
        """Seconds per step of the median round."""
        return median(self.seconds)

    @property
    def ratios(self) -> tuple[float, ...]:
        """The time of each round over that of the reference around it."""
        pairs = zip(self.seconds, self.reference, strict=True)
        return tuple(own / max(base, 1e-9) for own, base in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCell:
    """One variant.

    Attributes:
        name: of the variant.
        key: digest of everything that decides its figures.
        measured: None where it failed.
        error: why it failed.
    """

    name: str
    key: str
    measured: CostMeasurement | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class CostResults:
    """All variants of an ablation.

    Attributes:
        machine: facts about it, in words and numbers.
        settings: what decides the figures, the variants apart.
        cells: in the order of the ablation.
    """

    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    cells: tuple[CostCell, ...] = ()


def read(path: Path) -> CostResults:
    """Reads a file of results.

    Raises:
        CorruptFileError: it is missing, cut, or holds something else.
    """
    return CostResults(*parsed(path, CostCell, measured_of, command="molkd bench cost"))


def request_of(fields: Mapping[str, Any]) -> CostRequest:
    """Reads what a child process is asked."""
    sides: dict[str, Any] = {name: Side(**fields[name]) for name in ("variant", "reference")}
    return CostRequest(**{**fields, **sides})


def measured_of(fields: Mapping[str, Any]) -> CostMeasurement:
    """Reads what a child process wrote.

    Raises:
        KeyError, TypeError: it is something else.
    """
    rounds: dict[str, Any] = {name: tuple(fields[name]) for name in ("seconds", "reference")}
    return CostMeasurement(**{**fields, **rounds})
