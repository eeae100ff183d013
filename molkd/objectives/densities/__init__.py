"""Families of conditional densities: what a head's outputs mean, and the likelihood they give.

Each family reads one form of target: "real" standardised values, "bits" or "counts" as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from molkd.errors import ConfigError
from molkd.objectives.densities.base import GAUSSIAN_ENTROPY, Density
from molkd.objectives.densities.bernoulli import Bernoulli
from molkd.objectives.densities.gaussian import Gaussian
from molkd.objectives.densities.low_rank import LowRank
from molkd.objectives.densities.mixture import Mixture
from molkd.objectives.densities.negative_binomial import NegativeBinomial
from molkd.objectives.densities.poisson import Poisson
from molkd.runtime.registry import Registry
from molkd.types import Support

__all__ = [
    "DEFAULT_DENSITIES",
    "DENSITIES",
    "GAUSSIAN_ENTROPY",
    "Bernoulli",
    "Density",
    "Gaussian",
    "LowRank",
    "Mixture",
    "NegativeBinomial",
    "Poisson",
    "make",
    "of",
    "text_of",
]

DENSITIES: Registry[type[Density]] = Registry(
    "density",
    {
        "gaussian": Gaussian,
        "mixture": Mixture,
        "low-rank": LowRank,
        "bernoulli": Bernoulli,
        "poisson": Poisson,
        "negative-binomial": NegativeBinomial,
    },
)
"""By name; a further family is a frozen dataclass in a file here, and a line in this table."""

DEFAULT_DENSITIES: Mapping[Support, str] = {
    "real": "gaussian",
    "bits": "bernoulli",
    "counts": "poisson",
}
"""The family for each form of target."""


def make(spec: str) -> Density:
    """Makes a density from its name, followed by its options after colons.

    Args:
        spec: "gaussian", or "gaussian:0.1" with the family's first option. Options that are left
            out have their defaults.

    Raises:
        UnknownNameError: no such family.
        ConfigError: the family has no such option, or its value is out of range.
    """
    name, *words = spec.split(":")
    family = DENSITIES.resolve(name)
    options = fields(family)
    if len(words) > len(options):
        raise ConfigError(f"density {spec!r}: expected {_usage(name)}")
    try:
        values = {
            option.name: type(option.default)(word)
            for option, word in zip(options, words, strict=False)
        }
    except ValueError as error:
        raise ConfigError(f"density {spec!r}: expected {_usage(name)}") from error
    try:
        return family(**values)
    except ConfigError as error:
        raise ConfigError(f"density {spec!r}: {error}") from error


def text_of(density: Density) -> str:
    """Returns the string from which `make` makes a density."""
    name = next(name for name in DENSITIES if type(density) is DENSITIES.resolve(name))
    options = [str(getattr(density, option.name)) for option in fields(type(density))]
    return ":".join([name, *options])


def of(teacher: str, support: Support, chosen: Mapping[str, str]) -> Density:
    """Makes the density of a teacher: the chosen one, or the default of its form of target.

    Args:
        teacher: its name.
        support: the form of its targets.
        chosen: teacher -> density, as `make` reads it.

    Raises:
        UnknownNameError: no such family.
        ConfigError: the family has no such option, or its value is out of range.
    """
    return make(chosen.get(teacher, DEFAULT_DENSITIES[support]))


def _usage(name: str) -> str:
    options = fields(DENSITIES.resolve(name))
    if not options:
        return f"{name!r}, which has no options"
    example = ":".join([name, *(f"{option.default:.3g}" for option in options)])
    return f"{':'.join([name, *(option.name for option in options)])}, for example {example!r}"
