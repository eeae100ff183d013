"""Names -> what they stand for, imported when it is first asked for.

Teachers, students, objectives, densities, probes and file formats are all found here, so that a
mistyped name is answered in one way everywhere.
"""

from __future__ import annotations

import difflib
import importlib
import operator
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from molkd.errors import ConfigError, MissingExtraError, UnknownNameError

Target = TypeVar("Target")


@dataclass(frozen=True, slots=True)
class _Entry:
    target: Any
    extra: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Registry(Mapping[str, Target]):
    """Holds one kind of thing by name; a thing given as "module:attribute" is imported late."""

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, Target | str] | None = None,
        *,
        listing: str = "",
        open_to: str = "",
    ) -> None:
        """Opens a registry.

        Args:
            kind: what it holds, for messages: "teacher".
            entries: name -> what it stands for, or "module:attribute" of it.
            listing: the command that lists the names; by default messages list them all.
            open_to: what names of the form "module:attribute" may be beside those of the
                registry, for messages: "your own as module:Class". By default there are none.
        """
        self._kind = kind
        self._listing = listing
        self._open_to = open_to
        self._entries = {name: _Entry(target) for name, target in (entries or {}).items()}

    def add(
        self, name: str, target: Target | str, *, extra: str | None = None, **options: Any
    ) -> None:
        """Registers a thing under a name.

        Args:
            name: what users type.
            target: the thing, or "module:attribute" of it.
            extra: the extra of molkd that installs what it needs, if that is optional.
            **options: keywords that `make` calls it with, before those of the caller.
        """
        self._entries[name] = _Entry(target, extra, options)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Target:
        return self.resolve(name)

    def resolve(self, name: str) -> Target:
        """Returns what a name stands for.

        Raises:
            UnknownNameError: no such name; the message proposes near ones.
            MissingExtraError: an optional dependency is not installed.
        """
        if name in self._entries:
            return self._loaded(self._entries[name])
        if self._open_to and ":" in name:
            try:
                return cast("Target", _resolved(name))
            except (ImportError, AttributeError, TypeError, ValueError) as error:
                message = f"{self._kind} {name!r} cannot be imported: {error}"
                raise UnknownNameError(message) from error
        raise UnknownNameError(f"unknown {self._kind} {name!r}.{near(name, self)} {self._known()}")

    def make(self, name: str, /, **options: Any) -> Any:
        """Calls what a name stands for, with its own options and those given; see `resolve`."""
        target = cast("Any", self.resolve(name))
        fixed = self._entries[name].options if name in self._entries else {}
        return target(**{**fixed, **options})

    def _loaded(self, entry: _Entry) -> Target:
        if not isinstance(entry.target, str):
            return cast("Target", entry.target)
        try:
            return cast("Target", _resolved(entry.target))
        except ModuleNotFoundError as error:
            if entry.extra is None:
                raise
            message = f"{self._kind} needs {error.name}: pip install 'molkd[{entry.extra}]'"
            raise MissingExtraError(message) from error

    def _known(self) -> str:
        if self._listing:
            return f"{self._listing!r} shows all."
        names = ", ".join(self) + (f", or {self._open_to}" if self._open_to else "")
        return f"Known: {names}."


def _resolved(target: str) -> Any:
    """Imports what "module:attribute" names; unlike pkgutil's function from any file's name."""
    module, _, attribute = target.partition(":")
    return operator.attrgetter(attribute)(importlib.import_module(module))


def near(name: str, names: Iterable[str]) -> str:
    """Returns " Did you mean ...?" with the nearest names, or nothing where none is near."""
    nearest = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""


def check_names(setting: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refuses a setting that names what is not there.

    Raises:
        ConfigError: a name is not among those known; the message proposes near ones.
    """
    for name in names:
        if name not in known:
            among = ", ".join(known)
            raise ConfigError(
                f"{setting}: {name!r} is not among the teachers, which are {among}."
                f"{near(name, known)}"
            )
