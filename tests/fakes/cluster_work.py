"""What the tests let a cluster do; importable by its workers."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from molkd.errors import ShapeError
from molkd.runtime.processes import tick


def slow_square(number: int) -> int:
    """Takes longer for even numbers, so that odd ones are done before them."""
    time.sleep(0.05 * (number % 2 == 0))
    tick(number)
    return number**2


def refuse(number: int) -> int:
    if number == 3:
        raise ShapeError("three is no shape")
    return number


def niceness(_: int) -> int:
    return os.nice(0)


def join(number: int, prepared: str) -> str:
    return f"{number}{prepared}"


@dataclass(frozen=True)
class Dying:
    """Kills its process at one number, as often as `lives` says.

    Attributes:
        folder: where it notes that it has died.
        at: the number.
        lives: how often it dies.
    """

    folder: Path
    at: int
    lives: int = 1

    def __call__(self, number: int) -> int:
        deaths = len(list(self.folder.glob("death-*")))
        if number == self.at and deaths < self.lives:
            (self.folder / f"death-{deaths}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2


class Unloadable:
    """Cannot be unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return fail_to_load, ("a library that is not there",)

    def __call__(self, number: int) -> int:
        return number


def fail_to_load(what: str) -> None:
    raise ImportError(f"cannot load {what}")
