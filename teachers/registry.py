"""Teachers by name: built in, of other distributions, or behind the prefix of another library.

Nothing is imported before it is made. `molkd.teachers` holds the table of names.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final, cast
from warnings import warn

from molkd.errors import ConfigError
from molkd.runtime.registry import Registry
from molkd.teachers.base import layers
from molkd.types import Teacher, TeacherCard

Maker = Callable[..., Teacher[Any]]

ENTRY_POINTS: Final = "molkd.teachers"
"""Group in which other distributions offer teachers: name -> class or factory, no arguments."""

LISTING: Final = "molkd teachers list"

TEACHERS: Registry[Maker] = Registry("teacher", listing=LISTING)
"""The built-in ones."""

PREFIXES: Registry[Callable[[str], Teacher[Any]]] = Registry("prefix")
"""Prefix -> the maker of "prefix:rest", which is called with the rest."""

NESTED: Final = frozenset({"depict", "describe"})
"""Prefixes before the name of another teacher."""


def names() -> list[str]:
    """Returns the built-in names, then those of other distributions."""
    return [*TEACHERS, *_plugins()]


def make(name: str, *, weights_dir: Path | str | None = None, device: str = "cpu") -> Teacher[Any]:
    """Makes a teacher.

    Args:
        name: a name of `names`, or "prefix:rest"; see `PREFIXES`. "@layer:N" behind it takes an
            inner layer; see `molkd.teachers.base.layers`.
        weights_dir: directory of pretrained weights, for teachers that read some.
        device: where networks run, a name of `molkd.runtime.devices.choose`; for teachers that
            have one.

    Raises:
        UnknownNameError: no such name; the message proposes near ones.
        ConfigError: another distribution offers the name, and what it offers is no teacher; or
            the teacher has no layers to choose from.
        MissingExtraError: an optional dependency is not installed.
    """
    nested = name.partition(":")[0] in NESTED  # then the layer is one of the teacher inside
    base, layer = (name, None) if nested else layers.split(name)
    teacher = _made(base)
    _set_parameters(teacher, weights_dir=weights_dir, device=device)
    if layer is not None and not _set_parameters(teacher, layer=layer):
        raise ConfigError(
            f"teacher {base!r} has no layers to choose from, so {name!r} is none; "
            f"{layers.WITH_LAYERS}"
        )
    return teacher


def _made(name: str) -> Teacher[Any]:
    prefix, colon, rest = name.partition(":")
    plugins = _plugins()
    if name in plugins:
        return _from_plugin(plugins[name])
    return PREFIXES.resolve(prefix)(rest) if colon else TEACHERS.make(name)


def parse_names(text: str) -> list[str]:
    """Splits "a,b,c" into names.

    Raises:
        ConfigError: there is no name, an empty one, or one twice.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ConfigError(f"expected teachers separated by commas, got {text!r}")
    double = sorted({part for part in parts if parts.count(part) > 1})
    if double:
        raise ConfigError(f"teachers named more than once: {', '.join(double)}")
    return parts


def as_teacher(candidate: object) -> Teacher[Any]:
    """Returns the candidate if it fits the protocol `molkd.types.Teacher`.

    Raises:
        ConfigError: it does not; the message lists everything that is missing.
    """
    reasons = _misfits(candidate)
    if reasons:
        raise ConfigError(
            f"{type(candidate).__name__} is not a teacher: {'; '.join(reasons)}. "
            "A teacher has `card` (molkd.types.TeacherCard) and "
            "`embed(items) -> molkd.types.Embeddings`"
        )
    return cast("Teacher[Any]", candidate)


def _misfits(candidate: object) -> list[str]:
    if isinstance(candidate, type):
        return ["it is a class, not an object of it"]
    wrong: list[str] = []
    if not hasattr(candidate, "card"):
        wrong.append("it has no `card`")
    elif not isinstance(cast("Any", candidate).card, TeacherCard):
        wrong.append(
            f"its `card` is a {type(cast('Any', candidate).card).__name__}, not a TeacherCard"
        )
    if not callable(getattr(candidate, "embed", None)):
        wrong.append("it has no method `embed`")
    return wrong


def _set_parameters(teacher: object, **values: object) -> bool:
    """Sets those parameters that are not None and that the teacher, or one inside it, has.

    Returns:
        Whether there was one.
    """
    if not hasattr(teacher, "get_params"):
        return False
    estimator = cast("Any", teacher)
    leaves = {name: name.rpartition("__")[2] for name in estimator.get_params(deep=True)}
    chosen = {name: values[leaf] for name, leaf in leaves.items() if values.get(leaf) is not None}
    estimator.set_params(**chosen)
    return bool(chosen)


def _plugins() -> dict[str, EntryPoint]:
    plugins: dict[str, EntryPoint] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in TEACHERS or entry.name in plugins or ":" in entry.name:
            warn(
                f"teacher {entry.name!r} of {_distribution(entry)} is ignored: "
                "the name is taken or not allowed",
                stacklevel=3,
            )
        else:
            plugins[entry.name] = entry
    return plugins


def _from_plugin(entry: EntryPoint) -> Teacher[Any]:
    try:
        return as_teacher(entry.load()())
    except Exception as error:  # code of others
        raise ConfigError(
            f"teacher {entry.name!r} of {_distribution(entry)} cannot be made: "
            f"{type(error).__name__}: {error}"
        ) from error


def _distribution(entry: EntryPoint) -> str:
    return f"the distribution {entry.dist.name!r}" if entry.dist else "an unknown distribution"
