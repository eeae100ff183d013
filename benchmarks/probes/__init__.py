"""Probes: small supervised models on frozen embeddings, by name."""

from __future__ import annotations

from collections.abc import Mapping

from molkd.benchmarks.probes.base import Fitted, Part, Probe
from molkd.benchmarks.probes.boosting import Boosting
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.probes.mlp import Mlp
from molkd.benchmarks.probes.neighbours import Neighbours
from molkd.errors import UnknownNameError
from molkd.runtime.registry import near

__all__ = ["PROBES", "Fitted", "Part", "Probe", "describe", "make"]

PROBES: Mapping[str, type[Probe]] = {
    "linear": Linear,
    "knn": Neighbours,
    "mlp": Mlp,
    "boosting": Boosting,
}
"""Name -> probe; called without arguments it has the options that results are reported with."""


def make(name: str) -> Probe:
    """Makes the probe of a name.

    Raises:
        UnknownNameError: no such probe; the message proposes near ones.
    """
    if name not in PROBES:
        raise UnknownNameError(
            f"unknown probe {name!r}.{near(name, PROBES)} Probes are {', '.join(PROBES)}."
        )
    return PROBES[name]()


def describe(name: str) -> dict[str, object]:
    """Returns all that decides the numbers of a probe, JSON-like, to be part of a digest.

    Raises:
        UnknownNameError: no such probe; the message proposes near ones.
    """
    return make(name).about
