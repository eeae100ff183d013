"""Objectives by name: what a student is trained to minimise."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from molkd.errors import ConfigError, UnknownNameError
from molkd.objectives.base import Objective, ObjectiveSettings
from molkd.objectives.diverse.objective import Diverse
from molkd.objectives.mutual_information import MutualInformation, MutualInformationSettings
from molkd.objectives.regression import Cosine, MeanSquaredError
from molkd.objectives.unic import Unic
from molkd.runtime import settings as settings_
from molkd.runtime.registry import near
from molkd.tensors import FeatureSpec, QueryableTeachers, TargetSpec
from molkd.types import Form, TeacherCard

__all__ = [
    "OBJECTIVES",
    "MutualInformation",
    "MutualInformationSettings",
    "Objective",
    "ObjectiveSettings",
    "configured",
    "make",
    "objective_type",
    "target_form",
]

OBJECTIVES: Mapping[str, type[Objective]] = {
    "mi": MutualInformation,
    "mse": MeanSquaredError,
    "cosine": Cosine,
    "unic": Unic,
    "diverse": Diverse,
}


def configured(name: str, options: Mapping[str, object] | None = None) -> ObjectiveSettings:
    """Builds the settings of an objective from its name and options.

    Raises:
        UnknownNameError: no such objective.
        ConfigError: it has no such option, or not with this value.
    """
    return settings_.from_table(ObjectiveSettings, {"name": name, **(options or {})})


def make(
    settings: ObjectiveSettings,
    features: FeatureSpec,
    specs: Mapping[str, TargetSpec],
    *,
    live: QueryableTeachers | None = None,
) -> Objective:
    """Builds an objective for a student's features and the targets of its teachers.

    Args:
        settings: which objective, and its options.
        features: widths of what the student says.
        specs: teacher -> form of its targets.
        live: teachers to ask during training, at least those of `Objective.wants_live`.

    Raises:
        ConfigError: the settings do not fit the objective, the student or the targets.
        UnknownNameError: no such objective.
    """
    return _chosen(settings).build(settings, features, specs, live or {})


def objective_type(name: str) -> type[Objective]:
    """Returns the objective of a name, or the class that "module:Class" names.

    Raises:
        UnknownNameError: no such objective.
        ConfigError: what "module:Class" names is no objective.
    """
    if name in OBJECTIVES:
        return OBJECTIVES[name]
    if ":" not in name:
        raise UnknownNameError(
            f"unknown objective {name!r}.{near(name, OBJECTIVES)} Objectives are "
            f"{', '.join(OBJECTIVES)}, or your own as module:Class."
        )
    module, _, attribute = name.partition(":")
    try:
        found: object = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownNameError(f"objective {name!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Objective)):
        raise ConfigError(f"{name} is not a subclass of molkd.objectives.Objective")
    return found


def target_form(settings: ObjectiveSettings, card: TeacherCard) -> Form:
    """Says in which form the objective reads a teacher's values; see `Objective.form`."""
    return _chosen(settings).form(settings, card)


def _chosen(settings: ObjectiveSettings) -> type[Objective]:
    chosen = objective_type(settings.name)
    if not isinstance(settings, chosen.settings_type):
        raise ConfigError(
            f"objective {settings.name!r} is set by {chosen.settings_type.__name__}, not "
            f"{type(settings).__name__}"
        )
    return chosen
