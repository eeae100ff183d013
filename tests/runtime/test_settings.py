"""Settings from TOML and from the command line: checked, merged, written back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from molkd.distillation.schedule import TrainSettings
from molkd.distillation.settings import DistillSettings
from molkd.errors import ConfigError
from molkd.objectives.settings import HeadwiseSettings
from molkd.runtime import settings


@dataclass(frozen=True, kw_only=True)
class Inner:
    width: int = 3
    rate: float = 0.5
    kind: Literal["round", "square"] | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    name: str = "x"
    fast: bool = False
    path: Path | None = None
    numbers: tuple[int, ...] = ()
    names: list[str] = field(default_factory=list[str])
    shares: Mapping[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("name must not be empty")


def _load(tmp_path: Path, text: str, overrides: Mapping[str, object] | None = None) -> Outer:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return settings.load(Outer, path, overrides)


FULL = """
name = "y"
fast = true
path = "a/b"
numbers = [1, 2]
names = ["p"]
[inner]
width = 7
rate = 1
kind = "square"
[shares]
a = 2
"""


def test_defaults_then_file_then_overrides(tmp_path: Path) -> None:
    assert settings.load(Outer) == Outer()
    loaded = _load(tmp_path, FULL)
    assert loaded == Outer(
        inner=Inner(width=7, rate=1.0, kind="square"),
        name="y",
        fast=True,
        path=Path("a/b"),
        numbers=(1, 2),
        names=["p"],
        shares={"a": 2.0},
    )
    assert isinstance(loaded.inner.rate, float)
    over = {"inner.width": 9, "name": "z", "fast": None, "inner.kind": None}
    again = _load(tmp_path, FULL, over)
    assert (again.inner.width, again.name, again.fast, again.inner.kind) == (9, "z", True, "square")
    assert settings.load(Outer, None, {"inner": Inner(width=4)}).inner.width == 4


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "out.toml"
    for value in (Outer(), _load(tmp_path, FULL)):
        settings.write(path, value, record={"model": "m", "versions": {"molkd": "1"}})
        assert settings.load(Outer, path) == value
        assert settings.read_record(path) == {"model": "m", "versions": {"molkd": "1"}}
    settings.write(path, Outer())
    assert "path" not in path.read_text()
    assert settings.read_record(path) == {}
    assert settings.read_record(tmp_path / "absent") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nam = 'y'", r"unknown setting 'nam'\. Did you mean 'name'.*Settings: inner, name"),
        ("[inner]\nwidht = 1", r"unknown setting 'widht' in \[inner\]\. Did you mean 'width'"),
        ("[inner]\nwidth = 'x'", r"inner\.width: expected an integer, got 'x'"),
        ("[inner]\nwidth = 1.5", r"inner\.width: expected an integer, got 1\.5"),
        ("[inner]\nwidth = true", r"inner\.width: expected an integer, got True"),
        ("[inner]\nrate = 'fast'", r"inner\.rate: expected a number, got 'fast'"),
        ("[inner]\nrate = true", r"inner\.rate: expected a number, got True"),
        ("[inner]\nkind = 'squar'", r"expected one of round, square.*Did you mean 'square'"),
        ("inner = 3", r"inner: expected a table, got 3"),
        ("name = 3", r"name: expected a text, got 3"),
        ("fast = 1", r"fast: expected true or false, got 1"),
        ("path = 3", r"path: expected a path, got 3"),
        ("numbers = 3", r"numbers: expected a list, got 3"),
        ("numbers = [1, 'b']", r"numbers\[1\]: expected an integer, got 'b'"),
        ("[shares]\na = 'b'", r"shares\.a: expected a number, got 'b'"),
        ("name = ''", r"name must not be empty"),
        ("name = ", r"settings\.toml is not valid TOML"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _load(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the settings .*none\.toml: No such file"):
        settings.load(Outer, tmp_path / "none.toml")


def test_an_override_within_no_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="inner: expected a table, got 3"):
        _load(tmp_path, "inner = 3", {"inner.width": 2})


def test_types_come_before_rules_and_settings_are_of_their_class() -> None:
    for wrong, message in (
        (lambda: TrainSettings(epochs="3"), "train.epochs: expected an integer, got '3'"),
        (lambda: DistillSettings(valid_fraction="x"), "valid_fraction: expected a number"),
        (lambda: DistillSettings(teachers="maccs"), "teachers: expected a list, got 'maccs'"),
        (lambda: DistillSettings(train={"epochs": 1}), "train: expected TrainSettings, got {"),
        (lambda: DistillSettings(student="tiny"), "student: expected StudentSettings, got 'tiny'"),
        (lambda: DistillSettings(objective=TrainSettings()), "objective: expected Objective"),
    ):
        with pytest.raises(ConfigError, match=message):
            wrong()


def test_settings_of_ones_own_may_have_fields_of_any_type() -> None:
    class Local:
        pass

    @dataclass(frozen=True, kw_only=True)
    class Mine(HeadwiseSettings):
        span: tuple[str, float] = ("a", 1.0)
        names: set[int] = field(default_factory=set)
        function: Callable[[float], float] = abs
        local: Local | None = None

    assert Mine(span=("b", 2.0)).span == ("b", 2.0)
    assert Mine(matryoshka_dims=(8,)).matryoshka_dims == (8,)

    @dataclass(frozen=True, kw_only=True)
    class Plain:
        local: Local | None = None
        count: int = 0

    assert settings.from_table(Plain, {"count": 3}) == Plain(count=3)
