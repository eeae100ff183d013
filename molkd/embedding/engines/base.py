"""The contract of an engine."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from molkd.embedding.embedder import Embedded, Embedder
from molkd.embedding.plan import Plan, Task

Done = Generator[tuple[Task, Embedded | None]]


class Engine(Protocol):
    """Does the tasks of a plan, in bounded memory."""

    def __call__(self, plan: Plan, embedder: Embedder, /, *, jobs: int) -> Done:
        """Yields all tasks in order.

        Args:
            plan: the tasks.
            embedder: what is done to those that are open.
            jobs: how many processes work at once.

        Raises:
            WorkerDiedError: a process was killed, and its work could not be done again.
        """
        ...
