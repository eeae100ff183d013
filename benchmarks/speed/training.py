"""Items per second while a student is trained by the distiller."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from molkd.benchmarks import embedders
from molkd.benchmarks.speed import peak_memory
from molkd.benchmarks.speed.embedding import parameters
from molkd.benchmarks.speed.interleaved import Clock, Limits, affordable, by_turns
from molkd.benchmarks.speed.records import TOTAL, SpeedMeasurement
from molkd.benchmarks.tasks.modalities import BenchmarkModality
from molkd.errors import InputError
from molkd.types import Teacher

if TYPE_CHECKING:
    from molkd.distillation.schedule import Precision

VALID = 8
"""Rows of validation: few, so that an epoch is its training steps."""

BATCH = 256
"""Rows of a step, and of the shortest epoch: smaller batches would not be what training does."""

_FEWEST = 2 * VALID


def training(
    make: Callable[[], Any],
    items: Sequence[Any],
    limits: Limits,
    modality: BenchmarkModality,
    *,
    device: str = "cpu",
    clock: Clock = time.perf_counter,
) -> SpeedMeasurement:
    """Measures epochs of `molkd.distillation.trainer.Distiller` by default settings.

    A round is one epoch: collating, targets, forward, backward and step. Reading the items and
    the teachers is not in it, since a distillation does that once.

    Args:
        make: makes a student; counts as start-up.
        items: to train on; fewer of them are measured where time is short.
        limits: how long to measure.
        modality: of the items.
        device: where the student is trained.
        clock: in seconds.

    Raises:
        InputError: there are too few items that can be read.
    """
    start = clock()
    student = make()
    startup = clock() - start
    readable, reasons = _readable(items, modality)
    with tempfile.TemporaryDirectory() as folder:
        learn = learner(student, readable, modality, Path(folder), device, clock)
        most = len(readable) - VALID
        count = affordable(learn, most, limits, clock=clock, fewest=BATCH)
        _, before, added = peak_memory.added_by(lambda: learn(count))
        chosen = readable[VALID : VALID + count]
        rounds = by_turns(lambda: {TOTAL: learn(count)}, chosen, modality, limits.repeats, clock)
    return SpeedMeasurement(
        count=count,
        failed=len(reasons),
        reason=next(iter(reasons.values()), ""),
        parameters=parameters(student),
        startup=startup,
        rounds=rounds,
        resident_mb=before,
        added_mb=added,
    )


def _readable(
    items: Sequence[Any], modality: BenchmarkModality
) -> tuple[list[Any], dict[int, str]]:
    failures = modality.base.check(items, modality.base.standardizations[0]).failures
    readable = [item for row, item in enumerate(items) if row not in failures]
    if len(readable) < _FEWEST:
        raise InputError(
            f"training is measured on {_FEWEST} {modality.name} or more, not on {len(readable)}: "
            "give more, or leave it out with --no-training"
        )
    return readable, failures


def learner(
    student: Any,
    items: list[Any],
    modality: BenchmarkModality,
    folder: Path,
    device: str,
    clock: Clock,
    *,
    precision: Precision = "auto",
) -> Callable[[int], float]:
    """Returns a function that trains a copy for an epoch of so many rows and returns its time."""
    import numpy as np

    from molkd import bank
    from molkd.distillation.schedule import TrainSettings
    from molkd.distillation.trainer import Corpus, Distiller
    from molkd.objectives import MutualInformationSettings
    from molkd.targets.fitting import Scaling, fit_scaling
    from molkd.targets.reader import TargetReader

    settings = MutualInformationSettings()
    sources = [source for spec in modality.teachers for source in embedders.make(spec).sources]
    teachers = [cast("Teacher[Any]", source.model) for source in sources]
    keys = modality.base.check(items, modality.base.standardizations[0]).keys
    stored = bank.build(folder, items, teachers, keys=keys, progress=False)
    rows = np.arange(len(items))
    scalings: dict[str, Scaling] = {}
    for name in stored.cards:
        form = settings.form(stored.cards[name])
        scalings[name] = fit_scaling(stored, name, rows, form=form)
    reader = TargetReader(stored, scalings)
    prepared = student.featurize(items)

    def learn(count: int) -> float:
        fresh = copy.deepcopy(student)
        objective = settings.build(fresh.feature_spec, reader.specs)
        plan = TrainSettings(epochs=1, batch_size=BATCH, precision=precision)
        distiller = Distiller(fresh, objective, plan, device=device)
        corpus = Corpus(prepared, reader, rows[VALID : VALID + count], rows[:VALID], "speed")
        start = clock()
        distiller.fit(corpus, progress=False)
        return clock() - start

    return learn
