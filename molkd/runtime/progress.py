"""How far a long job is: a bar on a terminal, a line a minute in a log, nothing where unwanted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Self, TextIO

from tqdm import tqdm

MINUTE = 60.0
"""Seconds between the lines of a log."""


class Progress:
    """Counts what is done of a job and shows it on standard error.

    Attributes:
        done: what is done so far.
        total: what there is to do; None where nobody knows.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        *,
        unit: str = "items",
        initial: int = 0,
        shown: bool = True,
        keep: bool = True,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepares the display; nothing is shown before the job is entered.

        Args:
            label: the job in plain words.
            total: what there is to do, where it is known.
            unit: what is counted, in the plural; "B" for bytes.
            initial: what was done before, by an earlier run.
            shown: whether to show anything.
            keep: whether the bar stays on the terminal when the job is done.
            stream: where to show it; standard error by default.
            clock: returns seconds.
        """
        self.done, self.total = initial, total
        self._label, self._unit, self._initial, self._keep = label, unit, initial, keep
        self._stream = stream or sys.stderr
        self._clock = clock
        self._shown = shown and self._stream is not None  # a program without a console has none
        self._bar: Any = None
        self._started = self._told = clock()
        self._said: int | None = None
        self._note = ""

    def __enter__(self) -> Self:
        self._started = self._told = self._clock()
        if self._shown and _draws(self._stream):
            self._bar = tqdm(
                total=self.total,
                initial=self._initial,
                desc=self._label,
                unit=self._unit if self._unit == "B" else f" {self._unit}",
                unit_scale=self._unit == "B" or not self.total or self.total >= 10_000,
                leave=self._keep,
                file=self._stream,
            )
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None and self._said not in {None, self.done}:
            self._say()  # who heard of a job hears of its end

    def update(self, count: int, *, total: int | None = None) -> None:
        """Adds to what is done.

        Args:
            count: how much more is done.
            total: what there is to do, as far as is known now; None leaves it as it was.
        """
        self.done += count
        self.total = self.total if total is None else total
        if self._bar is not None:
            self._bar.total = self.total
            self._bar.update(count)
        elif self._shown and self._clock() - self._told >= MINUTE:
            self._say()

    def reach(self, done: int) -> None:
        """Like `update`, by what is done in all since the job was entered."""
        self.update(self._initial + done - self.done)

    def note(self, text: str) -> None:
        """Shows a few words behind the numbers from now on."""
        self._note = text
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def _say(self) -> None:
        self._told, self._said = self._clock(), self.done
        self._stream.write(f"{self._line()}\n")
        self._stream.flush()

    def _line(self) -> str:
        """As "distil: 300 of 900 items (33 %), 5/s, 2:00 left"."""
        seconds = max(self._clock() - self._started, 1e-9)
        rate = (self.done - self._initial) / seconds
        parts = [f"{self._label}: {self.done:,}"]
        if self.total:
            share = f"{100 * self.done / self.total:.0f} %"
            parts[0] += f" of {self.total:,} {self._unit} ({share})"
        else:
            parts[0] += f" {self._unit}"
        parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s")
        if self.total and rate and self.done < self.total:
            parts.append(f"{clocked((self.total - self.done) / rate)} left")
        else:
            parts.append(f"{clocked(seconds)} so far")
        return ", ".join([*parts, *([self._note] if self._note else [])])


def _draws(stream: TextIO) -> bool:
    """Whether a stream shows a bar that is drawn again and again: a terminal, or a notebook."""
    terminal = getattr(stream, "isatty", lambda: False)()  # what stands in for it may be less
    return terminal or (stream is sys.stderr and _in_notebook())


def _in_notebook() -> bool:
    """Whether a kernel runs this program; that its package is loaded says nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def clocked(seconds: float) -> str:
    """Returns a time for people: 65 is "1:05", 3665 is "1:01:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
