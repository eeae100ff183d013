"""What a training step of every variant of an ablation costs, beside that of its reference.

Apart from the results of quality, which hold no times. Each variant is measured in a fresh
process, by turns with the reference, and nothing is measured twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from molkd import teachers
from molkd.benchmarks.ablations import Ablation, Sources, settings_of
from molkd.benchmarks.cost import records, table
from molkd.benchmarks.cost.records import (
    CostCell,
    CostMeasurement,
    CostRequest,
    CostResults,
    Side,
    measured_of,
)
from molkd.benchmarks.speed import machine
from molkd.benchmarks.speed.records import write
from molkd.benchmarks.speed.subprocess_ import ROOT, CellError, run_worker
from molkd.distillation import corpus
from molkd.distillation.settings import DistillSettings
from molkd.errors import ConfigError, CorruptFileError
from molkd.runtime import files, settings
from molkd.types import Teacher, digest_of

RESULTS = "cost.json"
PAGE = "cost.md"

FITTED = 4096
"""Molecules of the bank, unless the steps need more: enough to fit scalings on, soon computed."""

_SLACK = 1.05
"""Molecules per molecule needed: some cannot be read."""

_PATIENCE = 3600.0

Measure = Callable[[CostRequest], CostMeasurement]
"""Measures one variant; raises `CellError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOptions:
    """How to measure.

    Attributes:
        steps: of a round.
        repeats: rounds of a variant.
        threads: of the computation.
        jobs: processes that compute the teachers, where the bank lacks them.
        progress: whether to show progress bars meanwhile.
    """

    steps: int = 8
    repeats: int = 3
    threads: int = 1
    jobs: int = 1
    progress: bool = True

    def __post_init__(self) -> None:
        for name in ("steps", "repeats", "threads", "jobs"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)}")


def measure(request: CostRequest) -> CostMeasurement:
    """Measures one variant in a fresh process, so that its memory is its own.

    Raises:
        CellError: a training raised, or the process died or took far too long.
    """
    return run_worker(
        "molkd.benchmarks.cost.worker",
        asdict(request),
        measured_of,
        root=ROOT,
        threads=request.threads,
        patience=_PATIENCE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostJob:
    """What is measured.

    Attributes:
        ablation: its variants are measured.
        scale: name of the scale whose settings decide student and plan.
        sources: corpus, weights and device.
        folder: for the results; may be that of the ablation itself, of which nothing is touched.
        options: how to measure.
    """

    ablation: Ablation
    scale: str
    sources: Sources
    folder: Path
    options: CostOptions = CostOptions()

    def settings(self) -> dict[str, DistillSettings]:
        """Returns variant -> its settings.

        Raises:
            UnknownNameError: there is no such scale.
            ConfigError: settings contradict each other.
        """
        scale = self.ablation.scale(self.scale)
        variants = {
            name: settings_of(self.ablation, scale, variant, seed=0)
            for name, variant in self.ablation.variants.items()
        }
        for one in variants.values():
            one.check()
        return variants


def run(job: CostJob, *, measure: Measure, say: Callable[[str], None]) -> CostResults:
    """Measures all variants that are not finished; writes `RESULTS` after each, `PAGE` at the end.

    Args:
        job: what is measured.
        measure: measures one variant.
        say: is told what happens.

    Raises:
        ConfigError: the corpus is too small, or settings contradict each other.
        MolkdError: a teacher cannot be computed, or something cannot be written.
    """
    variants = job.settings()
    molecules = _Molecules(job, _count(job, variants))
    reference = variants[job.ablation.reference]
    start = CostResults(machine.facts(job.sources.device), _about(job, molecules.smiles))
    keys = {name: _key(start, reference, options) for name, options in variants.items()}
    done = _earlier(job.folder / RESULTS, keys, say)
    for name, options in variants.items():
        if name in done:
            say(f"{name}: measured already")
            continue
        say(f"{name} ...")
        done[name] = _cell(name, keys[name], molecules.request(options, reference), measure)
        if done[name].error:
            say(f"{name} failed: {done[name].error}")
        write(job.folder / RESULTS, _with(start, done, variants))
    results = _with(start, done, variants)
    files.write_bytes(job.folder / PAGE, table.markdown(results).encode())
    return results


class _Molecules:
    """The first molecules of the corpus, and the bank that is filled as variants need it."""

    def __init__(self, job: CostJob, count: int) -> None:
        self.smiles = job.sources.corpus[:count]
        self._job = job
        self._bank = job.folder / "banks" / str(count)
        self._teachers: dict[str, Teacher[Any]] = {}
        self._filled: set[tuple[object, ...]] = set()

    def request(self, variant: DistillSettings, reference: DistillSettings) -> CostRequest:
        """Fills the bank for both sides, and returns what the child process is asked."""
        options, sources = self._job.options, self._job.sources
        return CostRequest(
            variant=self._side(variant),
            reference=self._side(reference),
            bank=str(self._bank.resolve()),
            steps=options.steps,
            repeats=options.repeats,
            threads=options.threads,
            device=sources.device,
            weights_dir=None if sources.weights_dir is None else str(sources.weights_dir),
        )

    def _side(self, options: DistillSettings) -> Side:
        own = [self._teacher(name) for name in options.teachers]
        atoms = corpus.node_names(own, options)
        needed = (options.standardize, options.bank_dtype, options.teachers, *atoms)
        if needed not in self._filled:
            self._fill(own, options)
            self._filled.add(needed)
        return Side(settings=settings.as_table(options), atoms=tuple(atoms))

    def _fill(self, own: Sequence[Teacher[Any]], options: DistillSettings) -> None:
        jobs, progress = self._job.options.jobs, self._job.options.progress
        checked = corpus.checked(self.smiles, options, jobs, progress=progress)
        corpus.filled_bank(self._bank, checked, own, options, jobs=jobs, progress=progress)

    def _teacher(self, name: str) -> Teacher[Any]:
        if name not in self._teachers:
            folder = self._job.sources.weights_dir
            self._teachers[name] = teachers.make(name, weights_dir=folder)
        return self._teachers[name]


def _count(job: CostJob, variants: Mapping[str, DistillSettings]) -> int:
    """How many molecules are read: what the steps of every variant need, and `FITTED` at least."""
    steps, held = job.options.steps, len(job.sources.corpus)
    batch = max(options.train.batch_size for options in variants.values())
    share = min(1 - options.valid_fraction for options in variants.values())
    needed = math.ceil(steps * batch / share)
    if held < needed:
        raise ConfigError(
            f"{steps} steps of {batch} rows need {needed} molecules, with those of the validation; "
            f"the corpus has {held}: give more, or fewer --steps"
        )
    return min(held, max(FITTED, math.ceil(_SLACK * needed)))


def _about(job: CostJob, smiles: Sequence[str | None]) -> dict[str, Any]:
    options = job.options
    return {
        "question": job.ablation.question,
        "reference": job.ablation.reference,
        "scale": job.scale,
        "molecules": len(smiles),
        "molecules_digest": digest_of(list(smiles)),
        "steps": options.steps,
        "repeats": options.repeats,
        "threads": options.threads,
    }


def _key(start: CostResults, reference: DistillSettings, one: DistillSettings) -> str:
    sides = [settings.as_table(side) for side in (reference, one)]
    return digest_of([dict(start.machine), dict(start.settings), *sides])


def _earlier(
    path: Path, keys: Mapping[str, str], say: Callable[[str], None]
) -> dict[str, CostCell]:
    """Returns what an earlier run measured of the same variants in the same way."""
    if not path.exists():
        return {}
    try:
        cells = records.read(path).cells
    except CorruptFileError as error:
        say(f"{error}: everything is measured again")
        return {}
    return {cell.name: cell for cell in cells if cell.measured and keys.get(cell.name) == cell.key}


def _cell(name: str, key: str, request: CostRequest, measure: Measure) -> CostCell:
    try:
        return CostCell(name=name, key=key, measured=measure(request))
    except CellError as error:
        return CostCell(name=name, key=key, error=str(error))


def _with(start: CostResults, done: Mapping[str, CostCell], order: Iterable[str]) -> CostResults:
    return replace(start, cells=tuple(done[name] for name in order if name in done))
