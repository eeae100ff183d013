"""The contract of an engine."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from molkd.embedding.embedder import Embedded, Embedder
from molkd.embedding.plan import Plan, Task
from molkd.formats.chunks import Chunk
from molkd.runtime import memory

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


@dataclass(frozen=True)
class Whole:
    """All that is done to a chunk, for a worker that computes in one thread.

    Every engine has its workers do this: products of matrices in several threads round single rows
    otherwise, so that the bits of a chunk would hang on where it was embedded.

    Attributes:
        embedder: an encoder on the CPU, with the options of the job.
    """

    embedder: Embedder

    def __call__(self, chunk: Chunk) -> Embedded:
        """Featurizes and embeds a chunk."""
        embedded = self.embedder.embed(chunk, self.embedder.featurize(chunk))
        memory.release()
        return embedded


def device_of(embedder: Embedder) -> str:
    """Returns the type of device that an embedder's encoder is on; teachers compute on the CPU."""
    return str(getattr(embedder.encoder, "device", "cpu")).partition(":")[0]


def in_plan_order(plan: Plan, embedded: Callable[[Iterator[Chunk]], Iterator[Embedded]]) -> Done:
    """Yields all tasks of a plan with what was embedded.

    Args:
        plan: the tasks.
        embedded: from the chunks of those that are open to what they give, one for one; takes
            chunks as it needs them.
    """
    waiting: deque[Task] = deque()

    def unfinished() -> Generator[Chunk]:
        for task in plan:
            waiting.append(task)
            if task.chunk is not None:
                yield task.chunk

    chunks = unfinished()
    results = cast("Generator[Embedded]", embedded(chunks))
    with contextlib.closing(chunks), contextlib.closing(results):
        for result in results:
            while (task := waiting.popleft()).chunk is None:
                yield task, None
            yield task, result
    for task in waiting:
        yield task, None
