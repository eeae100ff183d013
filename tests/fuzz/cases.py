"""A recipe, what checking it finds, and the invariant that all targets share."""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from molkd.errors import MolkdError

Recipe = dict[str, Any]
"""An input as a JSON object; "inputs" says how many it stands for, one by default."""

ROOT = Path(__file__).resolve().parents[2]


class MovedRowsError(Exception):
    """A row was lost, shifted or got another row's value."""


class SpoiltError(Exception):
    """The input could not be made: a fault of the recipe, not of molkd."""


@dataclass
class Seen:
    """What a target counts while it checks a recipe."""

    rows: int = 0
    valid: int = 0
    reasons: int = 0
    unstable: int = 0

    def count(self, rows: int, failed: int) -> None:
        """Counts rows of which some have a reason."""
        self.rows += rows
        self.reasons += failed
        self.valid += rows - failed


@dataclass(frozen=True)
class Target:
    """A kind of inputs.

    Attributes:
        draw: makes a recipe of random numbers; runs no code of molkd that could fail.
        check: makes the input, hands it to molkd, and raises where the invariant is broken.
    """

    draw: Callable[[Random], Recipe]
    check: Callable[[Recipe, Seen], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a recipe.

    Attributes:
        verdict: "rows", "refused" (a `MolkdError`), "spoilt", or a fault: "exception", "moved".
        seen: counts of rows.
        key: of a fault: exceptions of one key have one cause.
        text: of a fault: its traceback.
    """

    verdict: str
    seen: Seen = field(default_factory=Seen)
    key: str = ""
    text: str = ""


def run(target: Target, recipe: Recipe) -> Outcome:
    """Checks a recipe; whatever it raises becomes a verdict."""
    seen = Seen()
    try:
        target.check(recipe, seen)
    except MolkdError:
        return Outcome("refused", seen)
    except SpoiltError:
        return Outcome("spoilt", seen)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001, a panic of Rust is no Exception
        verdict = "moved" if isinstance(error, MovedRowsError) else "exception"
        return Outcome(verdict, seen, _key(error), "".join(traceback.format_exception(error)))
    return Outcome("rows", seen)


def require(holds: object, message: str) -> None:
    """Raises a `MovedRowsError` unless something holds."""
    if not holds:
        raise MovedRowsError(message)


@contextlib.contextmanager
def making() -> Generator[None]:
    """What fails within is no fault of molkd's."""
    try:
        yield
    except Exception as error:
        raise SpoiltError(str(error)) from error


def _key(error: BaseException) -> str:
    """The type of an error and the last lines of ours, and the very last, that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        frame for frame in frames if str(ROOT) in frame.filename and ".venv" not in frame.filename
    ]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in [*ours[-2:], *frames[-1:]]]
    message = re.sub(r"\S*/|\d+", "", str(error))[:60] if isinstance(error, MovedRowsError) else ""
    return " ".join([type(error).__name__, *dict.fromkeys(places), message]).strip()
