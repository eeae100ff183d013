"""Targets that misbehave, for the tests of what watches them."""

from __future__ import annotations

import os
from random import Random

from molkd.errors import InputError
from tests.fuzz.cases import Recipe, Seen, Target, require


def _draw(random: Random) -> Recipe:
    return {"inputs": 2, "number": random.randrange(100)}


def _good(_: Recipe, seen: Seen) -> None:
    seen.count(3, 1)


def _refused(_: Recipe, seen: Seen) -> None:
    raise InputError("no such file")


def _raises(recipe: Recipe, seen: Seen) -> None:
    raise KeyError(recipe["number"])


def _crashes(_: Recipe, seen: Seen) -> None:
    os.abort()


def _hangs(_: Recipe, seen: Seen) -> None:
    while True:
        pass


def _moves(_: Recipe, seen: Seen) -> None:
    require(seen.rows, "row 7 is row 8")


GOOD, REFUSED, RAISES, CRASHES, HANGS, MOVES = (
    Target(_draw, check) for check in (_good, _refused, _raises, _crashes, _hangs, _moves)
)
