"""Embedders read each by a probe of its own, which a comparison under one probe cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from molkd.benchmarks.probes import PROBES
from molkd.benchmarks.records import Results, Score
from molkd.errors import ConfigError, UnknownNameError
from molkd.runtime.registry import near

PROBE = "each its own"
"""What the probe of such a section is called."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An embedder and how it is read.

    Attributes:
        embedder: its label.
        probes: of several, for every label of a task and seed, the one counts whose comparable
            metric on the validation rows is highest; at a tie the first.
    """

    embedder: str
    probes: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Reads "LABEL:PROBE" or "LABEL:PROBE+PROBE".

        Raises:
            ConfigError: it is nothing of the kind.
            UnknownNameError: there is no such probe.
        """
        label, _, names = text.rpartition(":")
        if not label or not names:
            raise ConfigError(f"expected EMBEDDER:PROBE or EMBEDDER:PROBE+PROBE, got {text!r}")
        probes = tuple(names.split("+"))
        for name in probes:
            if name not in PROBES:
                raise UnknownNameError(f"{text}: no probe {name!r}.{near(name, PROBES)}")
        return cls(label, probes)

    def __str__(self) -> str:
        return f"{self.embedder}:{'+'.join(self.probes)}"


def each_its_own(results: Results, readings: Sequence[Reading]) -> Results:
    """Returns results in which each reading is an embedder, all under one probe.

    Args:
        results: what the probes said.
        readings: each once.

    Raises:
        UnknownNameError: no such embedder.
        ConfigError: a probe did not ask an embedder, a reading is named twice, or validation rows
            are to choose among probes and to be reported: that flatters who has most of them.
    """
    if results.run.settings.get("part") == "valid" and any(len(r.probes) > 1 for r in readings):
        raise ConfigError(
            "these are scores of validation rows, which cannot choose among probes as well: name "
            "one probe for each embedder"
        )
    records = {record.label: record for record in results.embedders}
    twice = sorted({str(one) for one in readings if readings.count(one) > 1})
    if twice:
        raise ConfigError(f"named twice: {', '.join(twice)}")
    scores: list[Score] = []
    for reading in readings:
        if reading.embedder not in records:
            known = near(reading.embedder, records)
            raise UnknownNameError(f"no embedder {reading.embedder!r} in the results.{known}")
        scores += _read(results, reading)
    embedders = [replace(records[one.embedder], label=str(one)) for one in readings]
    return replace(results, embedders=tuple(embedders), scores=tuple(scores))


def _read(results: Results, reading: Reading) -> list[Score]:
    metrics = {place: task.comparable for task in results.tasks for place in task.places}
    by_probe = {
        name: {
            (*score.place, score.label, score.seed): score
            for score in results.full
            if (score.embedder, score.probe) == (reading.embedder, name)
        }
        for name in reading.probes
    }
    silent = [name for name, found in by_probe.items() if not found]
    if silent:
        asked = sorted({s.probe for s in results.full if s.embedder == reading.embedder})
        raise ConfigError(
            f"{reading}: {', '.join(silent)} did not ask it, but {', '.join(asked)} did"
        )
    best: list[Score] = []
    for place in by_probe[reading.probes[0]]:
        some = [found[place] for found in by_probe.values() if place in found]
        if len(some) == len(reading.probes):
            metric = metrics[some[0].place]
            chosen = max(some, key=lambda score: score.valid.get(metric, float("-inf")))
            best.append(replace(chosen, embedder=str(reading), probe=PROBE))
    return best
