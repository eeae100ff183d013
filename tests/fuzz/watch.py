"""The parent of worker processes: it survives their crashes and ends those that hang."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path
from typing import Any

import psutil

from tests.fuzz.cases import Outcome
from tests.fuzz.plan import Plan
from tests.fuzz.worker import work

SECONDS = 10.0
"""Of its process's own time, or six times these on the clock, after which a recipe hangs."""

START = 120.0
"""Seconds on the clock that a process may take to begin."""

FAULTS = ("exception", "crash", "hang", "moved")

_context = multiprocessing.get_context("spawn")


@dataclass
class Finding:
    """A fault, and the first recipe that has it."""

    verdict: str
    target: str
    key: str
    text: str
    recipe: str
    count: int = 0

    @property
    def name(self) -> str:
        """Of its files."""
        digest = hashlib.sha256(f"{self.verdict} {self.key}".encode()).hexdigest()[:8]
        return f"{self.target.rpartition(':')[2]}-{self.verdict}-{digest}"


@dataclass
class Tally:
    """Counts of a run: target -> what -> how many; seconds of work; faults by their keys."""

    counts: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    seconds: Counter[str] = field(default_factory=Counter[str])
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict[Any, Finding])
    folder: Path | None = None

    def add(self, target: str, recipe: str, outcome: Outcome) -> None:
        """Counts an outcome; keeps the recipe of a new fault in a file."""
        count = self.counts.setdefault(target, Counter())
        count["inputs"] += json.loads(recipe).get("inputs", 1)
        count[outcome.verdict] += outcome.verdict != "rows"
        for name in ("rows", "valid", "reasons", "unstable"):
            count[name] += getattr(outcome.seen, name)
        if outcome.verdict in FAULTS:
            place = outcome.verdict, target, outcome.key
            new = place not in self.findings
            finding = self.findings.setdefault(place, Finding(*place, outcome.text, recipe))
            finding.count += 1
            if new and self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / f"{finding.name}.json").write_text(recipe)
                (self.folder / f"{finding.name}.txt").write_text(outcome.text)

    @property
    def failed(self) -> bool:
        """Whether there is any fault."""
        return bool(self.findings)


class Watched:
    """A worker process and what it is doing."""

    def __init__(self, plan: Plan, tally: Tally, folder: Path, seconds: float) -> None:
        self.plan, self.tally, self.seconds = plan, tally, seconds
        self.stack = folder / f"stack-{plan.shard}.txt"
        self.done = 0
        self.finished = False
        self._start()

    def _start(self) -> None:
        self.connection, theirs = _context.Pipe(duplex=False)
        arguments = (theirs, self.plan, self.done, str(self.stack))
        self.process = _context.Process(target=work, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        self.target, self.recipe = "", ""
        self._mark()

    def _mark(self) -> None:
        self.since = time.monotonic()
        self.used = self._cpu()

    def _cpu(self) -> float:
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(self.process.pid).cpu_times()
            return times.user + times.system
        return 0.0

    def hear(self) -> None:
        """Takes a message, or the end of the process."""
        try:
            outcome, target, recipe = self.connection.recv()
        except (EOFError, OSError):
            self._ended("crash", self._died())
            return
        if outcome is not None:
            self._count(outcome)
        if target is None:
            self.finished = True
            self.process.join()
        else:
            self.target, self.recipe = target, recipe
            self._mark()

    def look(self) -> None:
        """Ends the process if it hangs."""
        waited = time.monotonic() - self.since
        if not self.recipe:
            hangs = waited > START
        else:
            busy = self._cpu() - self.used > self.seconds
            hangs = waited > self.seconds and (busy or waited > 6 * self.seconds)
        if hangs and not self.finished:
            with contextlib.suppress(ProcessLookupError):
                signal_to(self.process.pid, signal.SIGUSR1)  # it writes its stack
                time.sleep(1)
            text = self._last_stack()
            self.stop()
            self._ended("hang", text)

    def stop(self) -> None:
        """Kills the process."""
        self.process.kill()
        self.process.join()

    def _died(self) -> str:
        self.process.join()
        return f"exit code {self.process.exitcode}\n{self._last_stack()}"

    def _last_stack(self) -> str:
        return self.stack.read_text(errors="replace") if self.stack.exists() else ""

    def _ended(self, verdict: str, text: str) -> None:
        if not self.recipe:
            raise RuntimeError(f"a worker ended before its first recipe, or while drawing: {text}")
        lines = [line.strip() for line in text.splitlines() if "File " in line][:2]
        self._count(Outcome(verdict, key=" ".join(lines), text=text))
        self._start()

    def _count(self, outcome: Outcome) -> None:
        self.tally.add(self.target, self.recipe, outcome)
        self.tally.seconds[self.target] += self._cpu() - self.used
        self.done += 1
        self.recipe = ""


def signal_to(pid: int | None, number: int) -> None:
    """Sends a signal to a process of ours."""
    if pid is not None:
        psutil.Process(pid).send_signal(number)


def watch(
    counts: dict[str, int],
    folder: Path,
    *,
    seed: int = 0,
    jobs: int = 1,
    seconds: float = SECONDS,
    progress: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Runs recipes in worker processes until all are done.

    Args:
        counts: target -> number of recipes.
        folder: for the recipes of faults, and for stacks.
        seed: another one draws other recipes.
        jobs: processes; each runs its share.
        seconds: see `SECONDS`.
        progress: called every half minute.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tally = Tally(folder=folder)
    plans = [Plan(counts, seed, shard, jobs) for shard in range(jobs)]
    watched = [Watched(plan, tally, folder, seconds) for plan in plans]
    said = time.monotonic()
    try:
        while running := [one for one in watched if not one.finished]:
            ready = connection.wait([one.connection for one in running], timeout=1)
            for one in running:
                if one.connection in ready:
                    one.hear()
                else:
                    one.look()
            if time.monotonic() - said > 30:
                said = time.monotonic()
                progress(tally)
    finally:
        for one in watched:
            one.stop()
    return tally
