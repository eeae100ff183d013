"""Objectives by name: what a student is trained to minimise."""

from __future__ import annotations

from collections.abc import Mapping

from molkd.errors import ConfigError, UnknownNameError
from molkd.objectives import densities
from molkd.objectives.base import Objective, ObjectiveSettings
from molkd.objectives.mutual_information import MutualInformation
from molkd.objectives.regression import Cosine, MeanSquaredError
from molkd.registry import near
from molkd.tensors import TargetSpec
from molkd.types import Card, Form

__all__ = [
    "OBJECTIVES",
    "MutualInformation",
    "Objective",
    "ObjectiveSettings",
    "make",
    "objective_type",
    "target_form",
]

OBJECTIVES: Mapping[str, type[Objective]] = {
    "mi": MutualInformation,
    "mse": MeanSquaredError,
    "cosine": Cosine,
}


def make(settings: ObjectiveSettings, width: int, specs: Mapping[str, TargetSpec]) -> Objective:
    """Builds an objective for a student of an embedding width and the targets of its teachers.

    Raises:
        ConfigError: the settings do not fit the objective or the targets.
    """
    return objective_type(settings.name)(width, specs, settings)


def objective_type(name: str) -> type[Objective]:
    """Returns the objective of a name.

    Raises:
        UnknownNameError: no such objective.
    """
    if name not in OBJECTIVES:
        raise UnknownNameError(
            f"unknown objective {name!r}.{near(name, OBJECTIVES)} "
            f"Objectives are {', '.join(OBJECTIVES)}."
        )
    return OBJECTIVES[name]


def target_form(settings: ObjectiveSettings, card: Card) -> Form:
    """Says in which form the objective reads a teacher's values.

    Raises:
        ConfigError: densities are set for an objective without them, or with bad options.
        UnknownNameError: no such density.
    """
    if not objective_type(settings.name).probabilistic:
        if settings.densities:
            raise ConfigError(f"objective {settings.name!r} has no densities to choose")
        return "standardized"
    chosen = settings.densities.get(card.name, densities.DEFAULT_DENSITIES[card.support])
    return "standardized" if densities.make(chosen).support == "real" else "as-is"
