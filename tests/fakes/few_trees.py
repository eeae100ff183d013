"""Probes as tests use them: a forest of five hundred trees takes minutes."""

from __future__ import annotations

from dataclasses import replace

from molkd.benchmarks import probes
from molkd.benchmarks.probes.base import Probe
from molkd.benchmarks.probes.forest import Forest

TREES = 60


def make(name: str) -> Probe:
    """Returns a probe by its name, the forest with few trees."""
    probe = probes.make(name)
    return replace(probe, trees=TREES) if isinstance(probe, Forest) else probe
