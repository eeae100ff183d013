"""Names -> lazily imported makers, with a proposal for a mistyped name."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar, cast

from molkd.errors import MissingExtraError, UnknownNameError

Made = TypeVar("Made")


class Registry(Generic[Made]):
    """Holds one kind of thing by name; nothing is imported before it is made."""

    def __init__(self, kind: str, *, listing: str) -> None:
        """Opens an empty registry.

        Args:
            kind: what it holds, for messages: "teacher".
            listing: the command that lists the names, for messages: "molkd teachers list".
        """
        self._kind = kind
        self._listing = listing
        self._targets: dict[str, tuple[str, dict[str, object], str | None]] = {}

    def add(self, name: str, target: str, *, extra: str | None = None, **options: object) -> None:
        """Registers `target` ("package.module:attribute") called with `options` under a name.

        Args:
            name: the name users type.
            target: where the maker is; imported only when something is made.
            extra: the extra of molkd that installs what the maker needs, if it is optional.
            **options: keywords given to the maker, before those of the caller.
        """
        self._targets[name] = (target, options, extra)

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __contains__(self, name: object) -> bool:
        return name in self._targets

    def make(self, name: str, /, **options: object) -> Made:
        """Makes what is registered under a name.

        Raises:
            UnknownNameError: no such name; the message proposes near ones.
            MissingExtraError: an optional dependency is not installed.
        """
        if name not in self._targets:
            raise UnknownNameError(self._unknown(name))
        target, fixed, extra = self._targets[name]
        return self._load(target, extra)(**{**fixed, **options})

    def _load(self, target: str, extra: str | None) -> Callable[..., Made]:
        module, _, attribute = target.partition(":")
        try:
            return cast("Callable[..., Made]", getattr(importlib.import_module(module), attribute))
        except ModuleNotFoundError as error:
            if extra is None:
                raise
            message = f"{self._kind} needs {error.name}: pip install 'molkd[{extra}]'"
            raise MissingExtraError(message) from error

    def _unknown(self, name: str) -> str:
        return f"unknown {self._kind} {name!r}.{near(name, self)} {self._listing!r} shows all."


def near(name: str, names: Iterable[str]) -> str:
    """Returns " Did you mean ...?" with the nearest names, or nothing where none is near."""
    found = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, found))}?" if found else ""
