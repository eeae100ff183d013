"""What students can be asked for: sizes by name, each with the settings of its architecture."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from molkd.errors import ConfigError, UnknownNameError
from molkd.runtime.registry import near

if TYPE_CHECKING:
    from molkd.students.base import Student

_GINE = "molkd.students.settings_gine:GineSettings"
_STATIC = "molkd.students.settings_text:StaticSettings"
_TEXT = "molkd.students.settings_text:TextSettings"
_IMAGE = "molkd.students.settings_image:ImageSettings"

SIZES: Mapping[str, str] = {
    "tiny": _GINE,
    "small": _GINE,
    "base": _GINE,
    "static-small": _STATIC,
    "static-base": _STATIC,
    "bert-tiny": _TEXT,
    "bert-mini": _TEXT,
    "bert-small": _TEXT,
    "vit-tiny": _IMAGE,
    "vit-small": _IMAGE,
    "pvt-tiny": _IMAGE,
    "pvt-v2-b0": _IMAGE,
}
"""Size -> the settings that have it."""

DEFAULT = "small"


@dataclass(frozen=True, kw_only=True)
class StudentSettings(ABC):
    """A size by name, and what to change of it; None leaves the size's own value.

    Read from a table, it becomes the settings of the size's architecture, so that an option of
    another one is refused.

    Attributes:
        size: a key of `SIZES`.
        reads: what the items of such a student are.
    """

    modality: ClassVar[str]

    size: str = DEFAULT

    def __post_init__(self) -> None:
        if _type_of(self.size) is not type(self):
            raise ConfigError(f"size {self.size!r} is not one of {type(self).__name__}")

    @classmethod
    def choose(cls, table: Mapping[str, object]) -> type[StudentSettings]:
        """Returns the settings that have a table's size; see `molkd.runtime.settings.Choosing`."""
        return _type_of(str(table.get("size", DEFAULT)))

    @abstractmethod
    def build(self, items: Sequence[Any]) -> Student[Any, Any, Any]:
        """Builds an untrained student.

        Args:
            items: the corpus, for students that learn a vocabulary from it.
        """


def sized(size: str) -> StudentSettings:
    """Returns the settings of a size by name.

    Raises:
        UnknownNameError: no such size.
    """
    return _type_of(size)(size=size)


def _type_of(size: str) -> type[StudentSettings]:
    if size not in SIZES:
        raise UnknownNameError(
            f"unknown student size {size!r}.{near(size, SIZES)} Sizes are {', '.join(SIZES)}."
        )
    module, _, name = SIZES[size].partition(":")
    return cast("type[StudentSettings]", getattr(importlib.import_module(module), name))
