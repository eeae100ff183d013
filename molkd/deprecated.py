"""Public names of the first version that still work, with a warning, until the next release.

Modules that moved are imported by their old names, renamed functions and classes are found where
they were, and settings are taken by their old names in Python and in TOML.
"""

from __future__ import annotations

import functools
import importlib
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

from molkd.errors import ConfigError

MODULES: Mapping[str, str] = {
    "molkd.chem": "molkd.items.molecules.chem",
    "molkd.graph": "molkd.items.molecules.graph",
    "molkd.images": "molkd.items.images.decoding",
    "molkd.pipeline": "molkd.distillation.run",
    "molkd.plan": "molkd.distillation.schedule",
    "molkd.recipe": "molkd.distillation.settings",
    "molkd.registry": "molkd.runtime.registry",
    "molkd.settings": "molkd.runtime.settings",
    "molkd.splits": "molkd.items.splits",
    "molkd.store": "molkd.runtime.files",
}
"""Old module -> the one that holds its names now."""

NAMES: Mapping[str, Mapping[str, str]] = {
    "molkd.distillation.schedule": {"Plan": "TrainSettings"},
    "molkd.items": {"KINDS": "MODALITIES", "ItemKind": "Modality", "Checked": "ReadItems"},
    "molkd.students": {"fresh": "untrained_like"},
    "molkd.teachers": {"as_live": "as_queryable"},
    "molkd.types": {
        "AtomEmbedded": "NodeEmbeddings",
        "AtomTeacher": "NodeTeacher",
        "Card": "TeacherCard",
        "Embedded": "Embeddings",
    },
}
"""Module -> old name -> new name."""

Settings = TypeVar("Settings")


def warn(old: str, new: str, *, stacklevel: int = 2) -> None:
    """Says that a name goes with the next release, at the line of the caller's caller."""
    message = f"{old} is now {new}; the old name goes with the next release of molkd"
    warnings.warn(message, FutureWarning, stacklevel=stacklevel + 1)


def renamed(module: str, name: str) -> Any:
    """Returns what a module's old name stands for; to be called by its `__getattr__`.

    Raises:
        AttributeError: it is no old name.
    """
    new = NAMES.get(module, {}).get(name)
    if new is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    warn(f"{module}.{name}", f"{module}.{new}", stacklevel=3)
    return getattr(importlib.import_module(module), new)


def renamed_fields(**fields: str) -> Callable[[type[Settings]], type[Settings]]:
    """Lets a dataclass take and show fields by old names, too.

    Args:
        **fields: old name -> new name.
    """

    def decorate(kind: type[Settings]) -> type[Settings]:
        names = {**getattr(kind, "renamed", {}), **fields}
        original = kind.__init__

        @functools.wraps(original)
        def init(self: Settings, **values: Any) -> None:
            original(self, **with_new_names(kind, values))

        for old, new in fields.items():
            setattr(kind, old, property(functools.partial(_read, old, new)))
        kind.__init__ = init  # pyright: ignore[reportAttributeAccessIssue]
        kind.renamed = names  # pyright: ignore[reportAttributeAccessIssue]
        return kind

    return decorate


def _read(old: str, new: str, settings: object) -> Any:
    warn(f"the setting {old}", new)
    return getattr(settings, new)


def with_new_names(kind: type[object], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of a dataclass by the new names of its fields, with a warning for old.

    Raises:
        ConfigError: a field is given under both of its names.
    """
    names: Mapping[str, str] = getattr(kind, "renamed", {})
    for name in values:
        if names.get(name) in values:
            raise ConfigError(f"{name} and {names[name]} are one setting: give {names[name]} alone")
        if name in names:
            warn(f"the setting {name}", names[name], stacklevel=3)
    return {names.get(name, name): value for name, value in values.items()}


def add_node_names(teacher: object) -> None:
    """Lets a teacher that says `embed_atoms` and `atom_dim` say them by their new names, too."""
    kind: Any = type(teacher)
    if hasattr(teacher, "embed_atoms") and not hasattr(teacher, "embed_nodes"):
        warn(f"{kind.__name__}.embed_atoms", "embed_nodes, and atom_dim node_dim")
        kind.embed_nodes = kind.embed_atoms
        kind.node_dim = property(operator.attrgetter("atom_dim"))


class OldModules(MetaPathFinder, Loader):
    """Finds the modules of `MODULES`, after all others."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        return ModuleSpec(fullname, self) if fullname in MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        """Fills the old module with a door to the new one."""
        new = MODULES[module.__name__]
        warn(module.__name__, new, stacklevel=2)

        def door(name: str) -> Any:
            return getattr(importlib.import_module(new), name)

        vars(module)["__getattr__"] = door
