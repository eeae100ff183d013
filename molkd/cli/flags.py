"""Options of a command that are fields of its settings: named once, explained by their docstring.

A command takes `settings`; `takes_settings` gives it a flag for some of the fields, `--config` for
a TOML file of them and `--set` for all the others. Defaults, types and messages are those of the
dataclass, so that a flag, a file and Python say the same.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

from molkd.cli.options import parts
from molkd.errors import ConfigError
from molkd.runtime import settings as settings_

Command = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class Flag:
    """A field of settings as an option.

    Attributes:
        field: its place, such as "train.epochs".
        names: of the option, such as "--epochs" and "-e"; by default the field's own name.
    """

    field: str
    names: tuple[str, ...] = ()

    @property
    def parameter(self) -> str:
        """What the option is called in Python."""
        return self.names[0].lstrip("-").replace("-", "_") if self.names else self._leaf

    @property
    def _names(self) -> tuple[str, ...]:
        return self.names or ("--" + self._leaf.replace("_", "-"),)

    @property
    def _leaf(self) -> str:
        return self.field.rpartition(".")[2]

    def described(self, kind: type[Any]) -> inspect.Parameter:
        """Returns the option as a parameter of a command that takes settings of a kind."""
        owner = _owner(kind, self.field)
        hint = _hint(owner, self._leaf)
        text = _explanations(owner)[self._leaf]
        default = next(f for f in dataclasses.fields(owner) if f.name == self._leaf).default
        if not (default is False or default in (dataclasses.MISSING, None, ())):
            text = f"{text.removesuffix('.')}. Default: {default}."
        option = typer.Option(*self._names, help=text[0].upper() + text[1:], metavar=_metavar(hint))
        return inspect.Parameter(
            self.parameter,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[_typed(hint), option],
        )

    def read(self, kind: type[Any], value: Any) -> Any:
        """Returns what was typed as a TOML file would hold it; None where nothing was."""
        if value is None or value == []:
            return None
        hint = _hint(_owner(kind, self.field), self._leaf)
        if value in (["true"], ["false"]):
            return value == ["true"]
        if isinstance(value, list) and not all(parts(value)):
            typed = ",".join(value)
            raise ConfigError(
                f"{self._names[0]}: expected names with commas between, got {typed!r}"
            )
        if _is(hint, Mapping):
            pairs = [part.rpartition("=") for part in parts(value)]
            if not all(all(pair) for pair in pairs):
                typed = ",".join(value)
                raise ConfigError(f"{self._names[0]}: expected teacher=value,..., got {typed!r}")
            return {key.strip(): _scalar(get_args(hint)[1], text.strip()) for key, _, text in pairs}
        if _is(hint, Sequence):
            return [_scalar(get_args(hint)[0], part) for part in parts(value)]
        return value


def takes_settings(kind: type[Any], flags: Sequence[Flag]) -> Callable[[Command], Command]:
    """Gives a command flags for fields of its settings.

    Args:
        kind: class of what the command takes as `settings`.
        flags: the fields that have one.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(*, config: Path | None, more: list[str] | None, **values: Any) -> None:
            overrides = {f.field: f.read(kind, values.pop(f.parameter)) for f in flags}
            overrides |= _assigned(more or [])
            command(settings=settings_.load(kind, config, overrides), **values)

        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [
            *(parameter for parameter in own if parameter.default is inspect.Parameter.empty),
            *(flag.described(kind) for flag in flags),
            *_general(),
            *(parameter for parameter in own if parameter.default is not inspect.Parameter.empty),
        ]
        parameters = [parameter for parameter in parameters if parameter.name != "settings"]
        run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _general() -> list[inspect.Parameter]:
    """The two options by which every field can be set."""
    more = typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other setting by its name in TOML; may be repeated.",
    )
    file = typer.Option(help="TOML file of settings; what is typed here overrides it.")
    options = {"more": Annotated[list[str] | None, more], "config": Annotated[Path | None, file]}
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        for name, hint in options.items()
    ]


def _assigned(texts: Sequence[str]) -> dict[str, object]:
    """Reads "table.key=value", the value as TOML or else as a text."""
    assigned: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key.strip() and equals and value.strip()):
            raise ConfigError(f"--set: expected key=value, got {text!r}")
        try:
            assigned[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            assigned[key.strip()] = value.strip()
    return assigned


def _owner(kind: type[Any], field: str) -> type[Any]:
    """The dataclass that has a field: tables are of the class that they have by default."""
    for name in field.split(".")[:-1]:
        table = next(one for one in dataclasses.fields(kind) if one.name == name)
        kind = table.default_factory  # pyright: ignore[reportAssignmentType]
    return kind


def _hint(owner: type[Any], name: str) -> Any:
    """The type of a field, without None, and without the bool that says all or none of a list."""
    hint = get_type_hints(owner)[name]
    some = [one for one in get_args(hint) if one is not NoneType]
    return some[0] if get_origin(hint) in {Union, UnionType} else hint


def _typed(hint: Any) -> Any:
    """The type of an option for a field: what is checked by the settings is a text here."""
    if _is(hint, Mapping) or _is(hint, Sequence):
        return list[str] | None
    return hint | None if hint in {int, float, bool} else str | None


def _metavar(hint: Any) -> str | None:
    """What help shows in the place of a value."""
    if _is(hint, Mapping):
        return "NAME=VALUE,..."
    if _is(hint, Sequence):
        return "NAME,..." if get_args(hint)[0] is str else "NUMBER,..."
    return {int: "NUMBER", float: "NUMBER", bool: None}.get(hint, "NAME")


def _is(hint: Any, collection: type[Any]) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, collection)


def _scalar(hint: Any, text: str) -> object:
    """A number where one is expected and given; else the text, which the settings refuse."""
    if hint in {int, float} and re.fullmatch(r"[-+]?\d+", text):
        return int(text)
    return text


@functools.cache
def _explanations(owner: type[Any]) -> Mapping[str, str]:
    """Field -> what the docstrings of a class and of its bases say of it, in one line."""
    texts: dict[str, str] = {}
    for one in reversed(owner.__mro__):
        _, _, attributes = inspect.cleandoc(one.__doc__ or "").partition("Attributes:\n")
        for name, text in re.findall(r"^    (\w+): (.*(?:\n     .*)*)", attributes, re.MULTILINE):
            texts[name] = " ".join(text.split()).replace("`", "")
    return texts
