"""Probes: small supervised models on frozen embeddings, by name."""

from __future__ import annotations

from molkd.benchmarks.probes.base import Fitted, Part, Probe
from molkd.runtime.registry import Registry

__all__ = ["FLOOR", "PROBES", "Fitted", "Part", "Probe", "describe", "make"]

PROBES: Registry[type[Probe]] = Registry(
    "probe",
    {
        "linear": "molkd.benchmarks.probes.linear:Linear",
        "knn": "molkd.benchmarks.probes.neighbours:Neighbours",
        "mlp": "molkd.benchmarks.probes.mlp:Mlp",
        "boosting": "molkd.benchmarks.probes.boosting:Boosting",
        "forest": "molkd.benchmarks.probes.forest:Forest",
        "kernel": "molkd.benchmarks.probes.kernel:Kernel",
        "tanimoto": "molkd.benchmarks.probes.tanimoto:Tanimoto",
        "pls": "molkd.benchmarks.probes.pls:Pls",
        "mean": "molkd.benchmarks.probes.mean:Mean",
    },
)
"""Name -> probe; called without arguments it has the options that results are reported with."""

FLOOR = "mean"
"""The probe that reads no embedding: learning curves draw it below all others."""


def make(name: str) -> Probe:
    """Makes the probe of a name.

    Raises:
        UnknownNameError: no such probe; the message proposes near ones.
    """
    return PROBES.make(name)


def describe(name: str) -> dict[str, object]:
    """Returns all that decides the numbers of a probe, JSON-like; see `make` for errors."""
    return make(name).about
