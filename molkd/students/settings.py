"""What students can be asked for: sizes by name, each with the settings of its architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from molkd.errors import ConfigError
from molkd.runtime.registry import Registry
from molkd.runtime.settings import validate

if TYPE_CHECKING:
    from molkd.students.base import Student

SIZES: Registry[type[StudentSettings]] = Registry("student size")
"""Size -> the settings that have it; `molkd.students` fills it."""

DEFAULT = "small"


@dataclass(frozen=True, kw_only=True)
class StudentSettings(ABC):
    """A size by name, and what to change of it; None leaves the size's own value.

    Read from a table, it becomes the settings of the size's architecture, so that an option of
    another one is refused.

    Attributes:
        size: tiny, small or base; hybrid-tiny, ... and static-molecules; for texts static-small,
            bert-mini, ..., for images pvt-tiny, ...
        modality: what the items of such a student are.
    """

    table: ClassVar[str] = "student"
    modality: ClassVar[str]

    size: str = DEFAULT

    def __post_init__(self) -> None:
        if SIZES.resolve(self.size) is not type(self):
            raise ConfigError(f"size {self.size!r} is not one of {type(self).__name__}")
        validate(self, {})
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        rules = {
            f"{name} must be at least 1": value >= 1
            for name, value in values.items()
            if isinstance(value, int)
        }
        dropout = values.get("dropout")
        validate(self, rules | {"dropout must lie in [0, 1)": dropout is None or 0 <= dropout < 1})

    @classmethod
    def choose(cls, table: Mapping[str, object]) -> type[StudentSettings]:
        """Returns the settings that have a table's size; see `molkd.runtime.schemas.Choosing`."""
        return SIZES.resolve(str(table.get("size", DEFAULT)))

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
    return SIZES.resolve(size)(size=size)
