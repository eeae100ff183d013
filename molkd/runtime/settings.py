"""Settings: frozen dataclasses read from TOML, overridden by the command line, written back.

Later wins: defaults of the class, then the file, then what was given on the command line.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
from collections.abc import Mapping
from collections.abc import Sequence as AbstractSequence
from pathlib import Path
from typing import (
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

import tomli_w

from molkd.deprecated import with_new_names
from molkd.errors import ConfigError
from molkd.runtime import files
from molkd.runtime.registry import near
from molkd.runtime.schemas import all_with_new_names, chosen, hints_of, new_path

Settings = TypeVar("Settings")


RECORD = "record"
"""A table in which a run notes facts about itself beside its settings; ignored on reading."""


def load(
    kind: type[Settings],
    path: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Builds settings.

    Args:
        kind: a dataclass whose fields are plain values, collections of them, or such dataclasses.
        path: TOML file; a table per nested dataclass.
        overrides: "field" or "table.field" -> value; None means not given.

    Raises:
        ConfigError: the file cannot be read, or a key is unknown or has a value of a wrong type.
            A class may raise more errors from its own checks.
    """
    table = _read(path) if path else {}
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    deciding = [key for key in given if key.rpartition(".")[2] in {"name", "size"}]
    for key in deciding:  # which class reads the others, and what they were called before
        _put(table, key.split("."), given.pop(key))
    table = all_with_new_names(kind, table)
    for key, value in given.items():
        _put(table, new_path(kind, key.split("."), table), value)
    return from_table(kind, table)


def from_table(kind: type[Settings], table: Mapping[str, object], *, where: str = "") -> Settings:
    """Builds settings from nested tables; `where` names the table in messages.

    Raises:
        ConfigError: a key is unknown or has a value of a wrong type.
    """
    kind = cast("type[Settings]", chosen(kind, table))
    table = with_new_names(kind, table)
    hints = hints_of(kind)
    names = [field.name for field in dataclasses.fields(cast("Any", kind))]
    for key in table:
        if key not in names:
            place = f" in [{where}]" if where else ""
            raise ConfigError(
                f"unknown setting {key!r}{place}.{near(key, names)} Settings: {', '.join(names)}."
            )
    prefix = f"{where}." if where else ""
    return kind(
        **{key: _value(hints.get(key, Any), value, prefix + key) for key, value in table.items()}
    )


def validate(settings: object, rules: Mapping[str, bool]) -> None:
    """Refuses values that their types or rules do not allow; for `__post_init__`.

    So a value gets the same answer from a flag, a file and Python.

    Args:
        settings: a dataclass; its class variable `table` names its table, where it has one.
        rules: "field must ..." -> whether it does.

    Raises:
        ConfigError: a value is of a wrong type, none of the choices, or breaks a rule.
    """
    table: str = getattr(settings, "table", "")
    prefix = f"{table}." if table else ""
    hints = hints_of(type(settings))
    for field in dataclasses.fields(cast("Any", settings)):
        hint, value = hints.get(field.name, Any), getattr(settings, field.name)
        if not dataclasses.is_dataclass(hint):
            _value(hint, value, prefix + field.name)
        elif not isinstance(value, cast("type[object]", hint)):
            raise ConfigError(
                f"{prefix}{field.name}: expected {cast('Any', hint).__name__}, got {value!r}"
            )
    for rule, holds in rules.items():
        if not holds:
            raise ConfigError(f"{prefix}{rule}, not {getattr(settings, rule.split()[0])!r}")


def as_table(settings: object) -> dict[str, object]:
    """Returns settings as nested tables of values that TOML and JSON know, without None."""
    return cast("dict[str, object]", _plain(settings))


def write(path: Path, settings: object, *, record: Mapping[str, object] | None = None) -> None:
    """Writes settings as TOML, atomically, in a form that `load` reads back.

    Args:
        path: the file.
        settings: a dataclass.
        record: facts about the run, kept in a table of their own.

    Raises:
        OutputError: the file cannot be written.
    """
    table = as_table(settings)
    if record:
        table[RECORD] = _plain(record)
    files.write_bytes(path, tomli_w.dumps(table).encode())


def read_record(path: Path) -> dict[str, object]:
    """Returns the facts that a run noted beside its settings; empty where there are none."""
    try:
        record: object = tomllib.loads(path.read_text(encoding="utf-8")).get(RECORD)
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", record) if isinstance(record, dict) else {}


def read_table(path: Path) -> dict[str, object]:
    """Returns settings as they were written, without the facts beside them.

    Raises:
        ConfigError: the file cannot be read, or is not valid TOML.
    """
    return _read(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the settings {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of TOML or of UTF-8
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    table.pop(RECORD, None)
    return table


def _put(table: dict[str, Any], keys: AbstractSequence[str], value: object) -> None:
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{key}: expected a table, got {inner!r}")
        table = cast("dict[str, Any]", inner)
    table[keys[-1]] = value


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _plain(pairs)
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(key): _plain(item) for key, item in items if item is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in cast("AbstractSequence[object]", value)]
    return str(value) if isinstance(value, Path) else value


def _value(hint: Any, value: object, where: str) -> Any:
    """Checks a value against a type, converting what TOML writes in another form."""
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return from_table(cast("type[Any]", hint), _table(value, where), where=where)
    if origin in {Union, types.UnionType}:
        return _one_of(get_args(hint), value, where)
    if origin is Literal:
        return _choice(get_args(hint), value, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        inner = get_args(hint)[1]
        pairs = _table(value, where).items()
        return {key: _value(inner, item, f"{where}.{key}") for key, item in pairs}
    if isinstance(origin, type) and issubclass(origin, AbstractSequence):
        return _items(hint, value, where)
    return _scalar(hint, value, where)


def _table(value: object, where: str) -> Mapping[str, object]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_table(value)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: expected a table, got {value!r}")
    return cast("Mapping[str, object]", value)


def _items(hint: Any, value: object, where: str) -> Any:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{where}: expected a list, got {value!r}")
    values = cast("AbstractSequence[object]", value)
    fixed = get_origin(hint) is tuple and ... not in get_args(hint)
    hints = get_args(hint) if fixed else get_args(hint)[:1] * len(values)
    if len(hints) != len(values):
        raise ConfigError(f"{where}: expected {len(hints)} values, got {value!r}")
    converted = [
        _value(one, item, f"{where}[{index}]")
        for index, (one, item) in enumerate(zip(hints, values, strict=True))
    ]
    return tuple(converted) if get_origin(hint) is tuple else converted


def _one_of(hints: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None and types.NoneType in hints:
        return None
    hints = tuple(hint for hint in hints if hint is not types.NoneType)
    errors: list[ConfigError] = []
    for hint in hints:
        try:
            return _value(hint, value, where)
        except ConfigError as error:
            errors.append(error)
    raise errors[0]


def _choice(choices: tuple[object, ...], value: object, where: str) -> object:
    if value not in choices:
        texts = [str(choice) for choice in choices]
        raise ConfigError(
            f"{where}: expected one of {', '.join(texts)}, got {value!r}.{near(str(value), texts)}"
        )
    return value


_NAMES: dict[object, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    Path: "a path",
}


def _scalar(hint: Any, value: object, where: str) -> Any:
    hint = get_origin(hint) or hint
    if hint is Any or not isinstance(hint, type) or hint is object:
        return value
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    fits = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    if not fits:
        expected = _NAMES.get(hint, getattr(hint, "__name__", str(hint)))
        raise ConfigError(f"{where}: expected {expected}, got {value!r}")
    return value
