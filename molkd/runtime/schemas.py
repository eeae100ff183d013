"""The classes of settings: which one reads a table, the types of its fields, their former names."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast, get_type_hints, runtime_checkable

from molkd.deprecated import with_new_names


@runtime_checkable
class Choosing(Protocol):
    """Settings whose class depends on what they say, as an objective's on its name."""

    @classmethod
    def choose(cls, table: Mapping[str, object], /) -> type[Any]:
        """Returns the class that a table is to be read as."""
        ...


@functools.cache
def hints_of(kind: type[Any]) -> Mapping[str, Any]:
    """Field -> its type; nothing of a class that names types of the function around it."""
    try:
        return get_type_hints(kind)
    except NameError:
        return {}


def chosen(kind: Any, table: Mapping[str, object]) -> Any:
    """Returns the class that a table is to be read as."""
    return kind.choose(table) if issubclass(kind, Choosing) else kind


def all_with_new_names(kind: Any, table: Mapping[str, Any]) -> dict[str, Any]:
    """A table by the new names of its keys, tables within it too: later sources override them."""
    kind = chosen(kind, table)
    hints = hints_of(kind)
    return {
        key: all_with_new_names(hints[key], value)
        if dataclasses.is_dataclass(hints.get(key)) and isinstance(value, dict)
        else value
        for key, value in with_new_names(kind, table).items()
    }


def new_path(kind: Any, keys: Sequence[str], table: Mapping[str, Any]) -> list[str]:
    """A place by the new names of its keys; see `all_with_new_names`."""
    kind = chosen(kind, table)
    (name,) = with_new_names(kind, {keys[0]: None})
    hint, inner = hints_of(kind).get(name), table.get(name, {})
    if len(keys) == 1 or not dataclasses.is_dataclass(hint) or not isinstance(inner, dict):
        return [name, *keys[1:]]
    return [name, *new_path(hint, keys[1:], cast("dict[str, Any]", inner))]
