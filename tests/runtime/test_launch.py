"""Which process this is, from what torchrun sets."""

from __future__ import annotations

import pytest

from molkd.errors import ConfigError
from molkd.runtime import launch

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


def _set(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_an_ordinary_process_is_the_only_one(monkeypatch: pytest.MonkeyPatch):
    _set(monkeypatch)
    assert (launch.rank(), launch.world_size(), launch.local_rank()) == (0, 1, None)
    assert launch.label() == ""


def test_one_of_several(monkeypatch: pytest.MonkeyPatch):
    _set(monkeypatch, RANK="5", WORLD_SIZE="8", LOCAL_RANK="1")
    assert (launch.rank(), launch.world_size(), launch.local_rank()) == (5, 8, 1)
    assert launch.label() == "process 5 of 8"


def test_what_one_variable_alone_says_is_not_heard(monkeypatch: pytest.MonkeyPatch):
    _set(monkeypatch, RANK="5", LOCAL_RANK="1")
    assert (launch.rank(), launch.world_size(), launch.local_rank()) == (0, 1, None)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"WORLD_SIZE": "two", "RANK": "0"}, "WORLD_SIZE must be an integer, not 'two'"),
        ({"WORLD_SIZE": "0", "RANK": "0"}, "WORLD_SIZE must be at least 1, not 0"),
        ({"WORLD_SIZE": "2"}, r"RANK must lie in \[0, 1\] where WORLD_SIZE is 2, not 'unset'"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, r"RANK must lie in \[0, 1\] .* not '2'"),
        ({"WORLD_SIZE": "2", "RANK": ""}, "RANK must be an integer, not ''"),
    ],
)
def test_what_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], message: str
):
    _set(monkeypatch, **values)
    with pytest.raises(ConfigError, match=message):
        launch.rank()
    assert launch.label() == ""
