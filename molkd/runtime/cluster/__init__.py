"""Work on a Ray cluster: in order, in bounded memory, and done again where a worker dies.

Ray Data would do again what was lost without a word and, where an item is to blame, without an
end: so Ray's own retries are off, and `crew` has the rules.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

# Read by Ray when it is imported, started, or first shows what workers print. The last is what it
# prints on standard output of every death, in ten lines; ours is one. Unless told otherwise Ray's
# workers are 15 nicer than all else: on a busy machine each took a minute to start.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_raylet_start_wait_time_s", "180")
os.environ.setdefault("RAY_worker_niceness", "0")
os.environ.setdefault("RAY_TQDM_PATCH_PRINT", "0")  # else Ray replaces print, and Numba fails
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "worker died or was killed")

from molkd.runtime.cluster.actors import packed
from molkd.runtime.cluster.connection import connected
from molkd.runtime.cluster.crew import Call, Crew

Task = TypeVar("Task")
Result = TypeVar("Result")

_WINDOW = 4
"""Tasks per worker that are begun and not yet yielded."""


def ordered_map(
    function: Callable[..., Result],
    tasks: Iterable[Task],
    *,
    jobs: int,
    before: Callable[[Task], Any] | None = None,
    gpus: float = 0,
    ticked: Callable[[int], object] | None = None,
) -> Iterator[Result]:
    """Applies a function to tasks on a Ray cluster and yields the results in order.

    The cluster is the one that this process is connected to, or that of RAY_ADDRESS; where there
    is neither, one is started on this machine and ended again. A task whose worker dies is done
    again by another one, with a warning.

    Args:
        function: sent once to each worker, which computes in one thread.
        tasks: taken as they are needed; what one is called in messages is its `str`.
        jobs: workers, of one core each unless something is done `before`; with `gpus` one for
            each of the cluster's GPUs, if those are fewer.
        before: what is done to a task first, elsewhere and on as many cores as are free; the
            function gets the task and what came of it. For functions on a GPU, which needs many
            cores to feed it.
        gpus: how many each worker needs.
        ticked: told the sum of all that the function gave to `tick` so far.

    Raises:
        ConfigError: the function cannot be sent, there is no cluster at the address, or it runs
            other versions.
        WorkerDiedError: several workers died over the same task, or before they did anything.
    """
    sent, begin = packed(function), None if before is None else packed(before)
    first = list(itertools.islice(tasks := iter(tasks), 1))
    if not first:
        return  # and no cluster is started
    with connected(jobs), contextlib.closing(Crew(sent, begin, jobs, gpus)) as crew:
        for one in _in_order(crew, itertools.chain(first, tasks), _WINDOW * jobs):
            if ticked is not None:
                ticked(crew.ticks)
            yield one.result


def _in_order(crew: Crew, tasks: Iterable[Any], most: int) -> Iterator[Call]:
    waiting: deque[Call] = deque()

    def done() -> Iterator[Call]:
        while waiting and waiting[0].done:
            yield waiting.popleft()

    for task in tasks:
        waiting.append(crew.add(task))
        while crew.queue or len(waiting) >= most:
            crew.step()
            yield from done()
    while waiting:
        yield from done()
        if waiting:
            crew.step()
