"""Objectives by name: what a student is trained to minimise.

Nothing is imported before it is asked for, so that settings can be read without torch. A new
objective is a file here and a line below.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from molkd.deprecated import warn
from molkd.objectives.settings import (
    OBJECTIVES,
    HeadwiseSettings,
    MutualInformationSettings,
    ObjectiveSettings,
    UnicSettings,
)
from molkd.runtime import settings

if TYPE_CHECKING:  # they load torch
    from molkd.objectives.base import Objective
    from molkd.objectives.mutual_information import MutualInformation

__all__ = [
    "OBJECTIVES",
    "HeadwiseSettings",
    "MutualInformation",
    "MutualInformationSettings",
    "Objective",
    "ObjectiveSettings",
    "UnicSettings",
    "configured",
]

OBJECTIVES.add("mi", "molkd.objectives.mutual_information:MutualInformation")
OBJECTIVES.add("mse", "molkd.objectives.regression:MeanSquaredError")
OBJECTIVES.add("cosine", "molkd.objectives.regression:Cosine")
OBJECTIVES.add("unic", "molkd.objectives.unic:Unic")
OBJECTIVES.add("diverse", "molkd.objectives.diverse.objective:Diverse")

_LATE = {
    "MutualInformation": "molkd.objectives.mutual_information:MutualInformation",
    "Objective": "molkd.objectives.base:Objective",
}


_FORMER: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "make": (
        "settings.build",
        lambda settings, features, specs, *, live=None: settings.build(
            features, specs, queryable=live
        ),
    ),
    "objective_type": ("OBJECTIVES.resolve", OBJECTIVES.resolve),
    "target_form": ("settings.form", lambda settings, card: settings.form(card)),
}
"""Functions of the first version -> what they are called now, and how they are called."""


def configured(name: str, options: Mapping[str, object] | None = None) -> ObjectiveSettings:
    """Returns the settings of an objective by its name and options; they build it.

    Raises:
        UnknownNameError: no such objective.
        ConfigError: it has no such option, or not with this value.
    """
    return settings.from_table(ObjectiveSettings, {"name": name, **(options or {})})


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return pkgutil.resolve_name(_LATE[name])
    if name in _FORMER:
        warn(f"molkd.objectives.{name}", _FORMER[name][0])
        return _FORMER[name][1]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
