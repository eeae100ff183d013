"""The process that measures one variant, by turns with the reference.

`python -m molkd.benchmarks.cost.worker` reads a `CostRequest` as JSON from standard input and
answers as `molkd.benchmarks.speed.worker` does.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from molkd import objectives, students, teachers
from molkd.bank import Bank
from molkd.benchmarks.cost.records import CostMeasurement, CostRequest, Side, request_of
from molkd.benchmarks.speed import peak_memory
from molkd.benchmarks.speed.interleaved import Clock, alternating
from molkd.benchmarks.speed.training import VALID
from molkd.benchmarks.speed.worker import respond
from molkd.distillation import corpus as corpora
from molkd.distillation.settings import DistillSettings
from molkd.distillation.trainer import Distiller
from molkd.errors import InputError
from molkd.items import ReadItems
from molkd.runtime import devices, memory, settings
from molkd.students.packed_items import PackedItems
from molkd.tensors import QueryableTeachers

_OWN, _REFERENCE = "variant", "reference"


def measure(request: CostRequest, *, clock: Clock = time.perf_counter) -> CostMeasurement:
    """Measures a variant in this process: its memory, then its time by turns with the reference.

    Raises:
        MolkdError: the bank or the settings cannot be used, or there are too few molecules.
    """
    device = devices.choose(request.device)
    bank = _opened(request, request.variant)
    options = settings.from_table(DistillSettings, request.variant.settings)
    items = ReadItems(list(bank.items), list(bank.items), dict(bank.errors))
    student = students.make(options.student, items=items.items)
    graphs = corpora.prepared_of(student, items, 1, progress=False)
    own = Training(request, request.variant, graphs, clock)
    own.run()  # from here on all that both need is loaded: libraries, kernels, pages of the bank
    added = _added_by(own.run, device)
    reference = Training(request, request.reference, graphs, clock)
    reference.run()
    rounds = alternating(_REFERENCE, reference.run, lambda: {_OWN: own.run()}, request.repeats)
    return CostMeasurement(
        batch=own.settings.train.batch_size,
        seconds=rounds[_OWN],
        reference=rounds[_REFERENCE],
        added_mb=added,
        **own.parameters(),
    )


class Training:
    """A training of so many steps, as a distillation with these settings would begin it.

    Attributes:
        settings: those of the side, with a single epoch.
    """

    def __init__(
        self, request: CostRequest, side: Side, prepared: PackedItems, clock: Clock
    ) -> None:
        """Fits the scalings on all molecules but those of the validation.

        Raises:
            InputError: there are fewer molecules than the steps need.
        """
        options = settings.from_table(DistillSettings, side.settings)
        self.settings = replace(options, train=replace(options.train, epochs=1))
        self._steps, self._device, self._clock = request.steps, request.device, clock
        self._queryable = _queryable(options, request.weights_dir)
        corpus = corpora.corpus_of(
            _opened(request, side), prepared, self.settings, queryable=self._queryable
        )
        rows = request.steps * options.train.batch_size
        if len(corpus.train) < rows:
            raise InputError(
                f"{request.steps} steps of {options.train.batch_size} rows need {rows} molecules "
                f"to train on, and {len(corpus.train)} can be used: give more, or fewer --steps"
            )
        self._corpus = replace(corpus, train=corpus.train[:rows], valid=corpus.valid[:VALID])

    def run(self) -> float:
        """Trains a fresh student; returns seconds per step: collate, targets, forward, backward.

        What is done once per run (making the student, the objective and the distiller) is not in
        the time; the first steps of the optimiser and a validation on `VALID` rows are.
        """
        student, objective = self._made()
        distiller = Distiller(student, objective, self.settings.train, device=self._device)
        start = self._clock()
        distiller.fit(self._corpus, progress=False)
        return (self._clock() - start) / self._steps

    def parameters(self) -> dict[str, int]:
        """Returns the number of weights of the objective and of the student."""
        student, objective = self._made()
        modules = {"objective": objective, "student": student}
        return {name: sum(w.numel() for w in one.parameters()) for name, one in modules.items()}

    def _made(self) -> tuple[Any, objectives.Objective]:
        student = students.make(self.settings.student, seed=self.settings.train.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.train.seed)
            objective = self.settings.objective.build(
                student.feature_spec, self._corpus.reader.specs, queryable=self._queryable
            )
        return student, objective


def _queryable(options: DistillSettings, weights_dir: str | None) -> QueryableTeachers:
    """The teachers that the objective asks; made before anything is measured."""
    names = options.objective.queried_teachers
    queried = [teachers.make(name, weights_dir=weights_dir) for name in names]
    return corpora.queryable_teachers(queried, options)


def _opened(request: CostRequest, side: Side) -> Bank:
    return Bank.open(Path(request.bank), teachers=side.settings["teachers"], nodes=side.atoms)


def _added_by(work: Callable[[], object], device: torch.device) -> float | None:
    """By how much some work raises the peak of memory, in MB: of the device, if it has its own."""
    gc.collect()
    memory.release()  # or else what an earlier run left free would hide what this one needs
    if device.type != "cuda":
        return peak_memory.added_by(work)[2]
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    work()
    return (torch.cuda.max_memory_allocated(device) - before) / 2**20


if __name__ == "__main__":
    respond(lambda fields: measure(request_of(fields)))
