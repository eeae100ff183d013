"""Teachers by name: built-in ones, prefixes, other distributions, and objects of one's own."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

from molkd import teachers
from molkd.errors import ConfigError, UnknownNameError
from molkd.teachers import catalogue
from molkd.teachers.hub import known
from molkd.types import Embeddings, TeacherCard

CARD = TeacherCard(
    name="mine", kind="test", dim=2, support="real", source="here", license="none", limits="none"
)


class Mine:
    card = CARD

    def embed(self, items: Any, /) -> Embeddings:
        return Embeddings(np.zeros((len(items), 2), dtype=np.float32), {})


def broken() -> object:
    raise RuntimeError("no licence key")


class Distribution:
    name = "molkd-elsewhere"


def _offer(monkeypatch: pytest.MonkeyPatch, **targets: str) -> None:
    """Pretends that another distribution is installed with these entry points."""
    found = [
        EntryPoint(name, target, teachers.ENTRY_POINTS)._for(Distribution())  # type: ignore[arg-type]
        for name, target in targets.items()
    ]
    monkeypatch.setattr("molkd.teachers.registry.entry_points", lambda *, group: found)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name under which entry points can import this module."""
    monkeypatch.setitem(sys.modules, "molkd_elsewhere", sys.modules[__name__])
    return "molkd_elsewhere"


def test_cards_carry_the_registered_name() -> None:
    at_hub = {model.name for model in known.named("molecules")}
    local = [name for name in teachers.names() if name not in at_hub]
    assert [teachers.make(name).card.name for name in local] == local


def test_names_are_unique_and_typable() -> None:
    names = teachers.names()
    assert len(set(names)) == len(names) >= 33
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name) for name in names)


def test_an_unknown_name_brings_a_proposal() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown teacher 'efcp4'.*'ecfp4'.*teachers list"):
        teachers.make("efcp4")


def test_an_unknown_prefix_lists_the_prefixes() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown prefix 'molfeet'.*molfeat"):
        teachers.make("molfeet:ecfp")


def test_weights_and_device_go_where_they_are_known(tmp_path: Any) -> None:
    graph: Any = teachers.make("molclr-gcn", weights_dir=tmp_path, device="cuda")
    assert (graph.weights_dir, graph.device) == (tmp_path, "cuda")
    assert teachers.make("ecfp4", weights_dir=tmp_path, device="cuda").card.name == "ecfp4"


def test_listing_imports_no_family() -> None:
    code = (
        "import sys; from molkd import teachers; teachers.names();"
        "print([m for m in ('torch', 'molfeat', 'deepchem', 'transformers') if m in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert printed.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "names"), [("ecfp4", ["ecfp4"]), ("ecfp4, hf:a/b,maccs", ["ecfp4", "hf:a/b", "maccs"])]
)
def test_names_are_split(text: str, names: list[str]) -> None:
    assert teachers.parse_names(text) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "separated by commas"), ("a,,b", "separated by commas"), ("a,b,a", "more than once: a")],
)
def test_lists_of_names_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        teachers.parse_names(text)


def test_any_object_that_fits_is_a_teacher() -> None:
    mine = Mine()
    assert teachers.as_teacher(mine) is mine


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (3, "no `card`; it has no method `embed`"),
        (Mine, "a class, not an object"),
        (type("Half", (), {"card": CARD})(), "no method `embed`"),
        (type("Wrong", (Mine,), {"card": {"name": "x"}})(), "its `card` is a dict"),
    ],
)
def test_what_is_missing_is_named(candidate: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        teachers.as_teacher(candidate)


def test_other_distributions_offer_teachers(monkeypatch: pytest.MonkeyPatch, here: str) -> None:
    _offer(monkeypatch, mine=f"{here}:Mine")
    assert teachers.names()[-1] == "mine"
    assert teachers.make("mine", device="cuda").card is CARD


@pytest.mark.parametrize("target", ["broken", "Distribution", "absent"])
def test_a_broken_offer_names_its_distribution(
    monkeypatch: pytest.MonkeyPatch, here: str, target: str
) -> None:
    _offer(monkeypatch, bad=f"{here}:{target}", mine=f"{here}:Mine")
    with pytest.raises(ConfigError, match="'bad' of the distribution 'molkd-elsewhere' cannot"):
        teachers.make("bad")
    entries = {entry.name: entry for entry in catalogue.entries()}
    assert entries["bad"].readiness == "broken"
    assert "molkd-elsewhere" in entries["bad"].problem
    assert entries["mine"].readiness == entries["ecfp4"].readiness == "ready"


def test_built_in_names_cannot_be_taken(monkeypatch: pytest.MonkeyPatch, here: str) -> None:
    _offer(monkeypatch, ecfp4=f"{here}:Mine")
    with pytest.warns(UserWarning, match="'ecfp4' of the distribution 'molkd-elsewhere'"):
        assert teachers.make("ecfp4").card.dim == 2048
