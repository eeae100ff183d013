"""Items per second from what a user has to embedding, and where the time goes."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from molkd.benchmarks.embedders.peers import Peer
from molkd.benchmarks.embedders.store import Embeds
from molkd.benchmarks.speed import peak_memory
from molkd.benchmarks.speed.interleaved import Clock, Limits, affordable, by_turns
from molkd.benchmarks.speed.models import SideBySide
from molkd.benchmarks.speed.records import SpeedMeasurement
from molkd.benchmarks.speed.stages import one_round
from molkd.benchmarks.tasks.modalities import BenchmarkModality
from molkd.errors import InputError

_DEEPEST = 4  # a teacher, what it has loaded, a part of that, the module


def embedding(
    make: Callable[[], Embeds],
    items: Sequence[Any],
    limits: Limits,
    modality: BenchmarkModality,
    *,
    clock: Clock = time.perf_counter,
) -> SpeedMeasurement:
    """Measures an embedder on a library.

    Args:
        make: makes it; counts as start-up, with the first call.
        items: the library; fewer of it are measured where time is short.
        limits: how long to measure.
        modality: of the items.
        clock: in seconds.

    Raises:
        InputError: it can embed none of the items.
    """
    start = clock()
    model = make()
    model.embed(items[:1])
    startup = clock() - start

    def trial(rows: int) -> None:
        one_round(model, items[:rows], modality, clock)

    count = affordable(trial, len(items), limits, clock=clock)
    chosen = items[:count]
    embedded, before, added = peak_memory.added_by(lambda: model.embed(chosen))
    failures = embedded.failures
    reason = next(iter(failures.values()), "")
    if len(failures) == count:
        raise InputError(f"it can embed none of {count} {modality.name}; the first: {reason}")
    del embedded
    return SpeedMeasurement(
        count=count,
        failed=len(failures),
        reason=reason,
        parameters=parameters(model),
        startup=startup,
        rounds=by_turns(
            lambda: one_round(model, chosen, modality, clock),
            chosen,
            modality,
            limits.repeats,
            clock,
        ),
        resident_mb=before,
        added_mb=added,
    )


def parameters(model: object) -> int | None:
    """Counts weights: of a torch module, or of the modules that a teacher holds.

    Returns:
        None where a teacher has weights that are not found.
    """
    if isinstance(model, SideBySide):
        counts = [parameters(part) for part in model.parts]
        return None if None in counts else sum(count or 0 for count in counts)
    if isinstance(model, Peer):
        return model.weights
    modules = [module for module in _held(model) if hasattr(module, "parameters")]
    if modules:
        return sum(weight.numel() for module in modules for weight in module.parameters())
    card = getattr(model, "card", None)
    return 0 if card is not None and not card.sha256 else None


def _held(model: Any) -> list[Any]:
    """The model, or the torch modules that it holds, also inside of what it holds."""
    if hasattr(model, "parameters"):
        return [model]
    torch = sys.modules.get("torch")  # not loaded: nothing holds a module
    return [] if torch is None else list(_modules(model, torch.nn.Module, depth=_DEEPEST))


def _modules(thing: Any, wanted: type, *, depth: int) -> Iterator[Any]:
    if isinstance(thing, wanted):
        yield thing
    elif depth:
        for inner in _inside(thing):
            yield from _modules(inner, wanted, depth=depth - 1)


def _inside(thing: Any) -> Sequence[Any]:
    if isinstance(thing, tuple | list):
        return thing
    if dataclasses.is_dataclass(thing):
        return [getattr(thing, field.name) for field in dataclasses.fields(thing)]
    return list(vars(thing).values()) if hasattr(thing, "__dict__") else []
