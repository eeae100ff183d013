"""Names become what they stand for; a wrong one is answered with near ones."""

from __future__ import annotations

import fractions
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from molkd.errors import MissingExtraError, UnknownNameError
from molkd.runtime.registry import Registry, near


def _registry(**about: str) -> Registry[Callable[..., Any]]:
    return Registry("number", {"whole": int, "fraction": "fractions:Fraction"}, **about)


def test_a_name_stands_for_a_thing_or_for_where_to_import_it() -> None:
    registry = _registry()
    assert registry.resolve("whole") is int
    assert registry.resolve("fraction") is fractions.Fraction
    assert list(registry) == ["whole", "fraction"]
    assert "whole" in registry
    assert "int" not in registry


def test_nothing_is_imported_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    registry = _registry()
    registry.add("colour", "colorsys:rgb_to_hsv")
    assert "colorsys" not in sys.modules
    assert registry.make("colour", r=0, g=0, b=1)[2] == 1
    assert "colorsys" in sys.modules


def test_options_of_the_caller_come_after_those_of_the_entry() -> None:
    registry = _registry()
    registry.add("third", "fractions:Fraction", numerator=1, denominator=3)
    assert registry.make("third") == fractions.Fraction(1, 3)
    assert registry.make("third", numerator=2) == fractions.Fraction(2, 3)


def test_names_of_ones_own_where_they_may_be() -> None:
    registry = _registry(open_to="your own as module:Class")
    assert registry.resolve("decimal:Decimal").__name__ == "Decimal"
    assert registry.make("fractions:Fraction", numerator=3) == 3
    for wrong in ("nowhere_at_all:X", "fractions:Nothing", "no identifier:x"):
        with pytest.raises(UnknownNameError, match=f"number '{wrong}' cannot be imported"):
            registry.resolve(wrong)
    with pytest.raises(UnknownNameError, match="Known: whole, fraction, or your own as module:Cl"):
        registry.resolve("decimal")
    with pytest.raises(UnknownNameError, match="unknown number 'decimal:Decimal'"):
        _registry().resolve("decimal:Decimal")


def test_a_mistyped_name_is_answered_with_near_ones_and_where_to_find_all() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown number 'hole'\. Did you mean 'whole'\? Known: whole, fr"
    ):
        _registry().resolve("hole")
    with pytest.raises(UnknownNameError, match=r"unknown number 'zzz'\. 'molkd numbers' shows all"):
        _registry(listing="molkd numbers").make("zzz")
    assert near("maccs", ["mac", "macs", "ecfp4"]) == " Did you mean 'macs' or 'mac'?"
    assert near("xyz", ["maccs"]) == ""


def test_a_missing_library_names_the_extra_that_installs_it() -> None:
    registry = _registry()
    registry.add("optional", "library_that_is_not_there:make", extra="more")
    registry.add("needed", "library_that_is_not_there:make")
    message = r"number needs library_that_is_not_there: pip install 'molkd\[more\]'"
    with pytest.raises(MissingExtraError, match=message):
        registry.resolve("optional")
    with pytest.raises(ModuleNotFoundError, match="No module named 'library_that_is_not_there'"):
        registry.resolve("needed")


EVERY = (
    "molkd.benchmarks.probes:PROBES",
    "molkd.benchmarks.tasks.metrics:METRICS",
    "molkd.benchmarks.tasks:GROUPS",
    "molkd.formats:READERS",
    "molkd.formats:WRITERS",
    "molkd.items:MODALITIES",
    "molkd.objectives.densities:DENSITIES",
    "molkd.objectives.settings:OBJECTIVES",
    "molkd.students:KINDS",
    "molkd.students.settings:SIZES",
    "molkd.teachers.registry:PREFIXES",
    "molkd.teachers.registry:TEACHERS",
)


def test_every_registry_finds_what_it_lists_and_proposes_the_nearest_name() -> None:
    for place in EVERY:
        importlib.import_module(place.partition(":")[0].rpartition(".")[0])  # it may fill it
        registry: Any = pkgutil.resolve_name(place)
        assert isinstance(registry, Registry), place
        assert len(registry) == len(list(registry)) > 0, place
        for name in list(registry)[:3]:
            assert registry.resolve(name) is not None, place
        name = next(iter(registry))
        with pytest.raises(UnknownNameError, match=f"Did you mean .*{re.escape(name)}"):
            registry.resolve(f"{name}_")
