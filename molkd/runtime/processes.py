"""Work in several processes: in order, in bounded memory, and without orphans."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from molkd.errors import ConfigError, WorkerDiedError

_TOLD_EVERY = 0.5
"""Seconds between two looks at what other processes have done."""

Task = TypeVar("Task")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    jobs: int,
    prefetch: int = 2,
    ticked: Callable[[int], object] | None = None,
) -> Iterator[Result]:
    """Applies a function to tasks and yields the results in order, the same for any `jobs`.

    Every process computes in one thread: the last bits of a sum depend on the number of threads.

    Args:
        function: sent to each process once; picklable where `jobs` > 1.
        tasks: taken as they are needed.
        jobs: processes; 1 computes in this one.
        prefetch: tasks per process that are taken before the first one is done; a larger number
            where tasks take unequal times and results are small, so that no process is idle.
        ticked: told again and again, while results are waited for, the sum of all that the
            function gave to `tick` so far.

    Raises:
        ConfigError: the function cannot be sent to another process.
        WorkerDiedError: a process was killed, most often for want of memory.
    """
    if jobs <= 1:
        heard = 0

        def add(more: int) -> None:
            nonlocal heard
            heard += more
            if ticked is not None:
                ticked(heard)

        for task in tasks:
            with one_thread(), ticking(add):
                result = function(task)
            yield result
        return
    yield from _in_processes(function, tasks, jobs, prefetch, ticked)


def tick(count: int) -> None:
    """Says, within the function of an `ordered_map`, that a part of its task is done."""
    if _STATE.tick is not None:
        _STATE.tick(count)


def usable_cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Limit(threading.local):
    """How many blocks of `one_thread` are open, in this Python thread and in all of them."""

    lock = threading.Lock()
    everywhere = 0
    threads = 1  # torch's, outside of all blocks
    here = 0


_LIMIT = _Limit()


@contextlib.contextmanager
def one_thread() -> Generator[None]:
    """Limits torch, where it is loaded, to one thread within the block.

    Python threads that are within such blocks at once leave the number as the first one found it.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with _Limit.lock:
        if not _Limit.everywhere:
            _Limit.threads = torch.get_num_threads()
        _Limit.everywhere += 1
        _LIMIT.here += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.everywhere -= 1
            _LIMIT.here -= 1
            torch.set_num_threads(1 if _LIMIT.here else _Limit.threads)


@contextlib.contextmanager
def ticking(heard: Callable[[int], object]) -> Generator[None]:
    """Hears what `tick` is given within the block."""
    outer, _STATE.tick = _STATE.tick, heard
    try:
        yield
    finally:
        _STATE.tick = outer


def _in_processes(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    jobs: int,
    prefetch: int,
    ticked: Callable[[int], object] | None,
) -> Iterator[Result]:
    try:
        pickled = pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(f"cannot be sent to worker processes, use 1 job: {error}") from error
    waiting: deque[Future[Any]] = deque()
    context = multiprocessing.get_context("spawn")  # forking would copy locked threads
    count = context.Value("q", 0)
    pool = ProcessPoolExecutor(jobs, context, _start, (pickled, count))
    starting = contextlib.nullcontext if b"__main__" in pickled else _without_main
    try:
        for task in tasks:
            with starting():
                waiting.append(pool.submit(_work, task))
            if len(waiting) >= prefetch * jobs:  # bounds the memory of results that wait
                yield _awaited(waiting.popleft(), count, ticked)
        while waiting:
            yield _awaited(waiting.popleft(), count, ticked)
    except BrokenProcessPool as error:
        raise WorkerDiedError(
            "a worker process died, perhaps for want of memory: run the same command again with "
            "fewer jobs, what is finished is kept (a script that starts processes must do so "
            "below 'if __name__ == \"__main__\":')"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _awaited(future: Future[Any], count: Any, ticked: Callable[[int], object] | None) -> Any:
    while ticked is not None and not wait([future], _TOLD_EVERY).done:
        ticked(count.value)
    return future.result()


@contextlib.contextmanager
def _without_main() -> Generator[None]:
    """Lets processes start without running the user's script again, for none of it is needed.

    So a script may start them without 'if __name__ == "__main__":'.
    """
    main = vars(sys.modules["__main__"])
    hidden = {name: main[name] for name in ("__spec__", "__file__") if name in main}
    main["__spec__"] = None
    main.pop("__file__", None)
    try:
        yield
    finally:
        main.update(hidden)


class _State(threading.local):
    pickled: bytes = b""
    function: Callable[[Any], Any] | None = None
    tick: Callable[[int], object] | None = None


_STATE = _State()


def _start(pickled: bytes, count: Any) -> None:
    """Keeps the function for the first task, so that an error in loading it is reported."""

    def add(more: int) -> None:
        with count.get_lock():
            count.value += more

    _STATE.tick = add
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _STATE.pickled = pickled


def _end_with_parent() -> None:
    """Ends a worker whose parent was killed: else it would wait for a task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    function = _STATE.function
    if function is None:
        function = _STATE.function = pickle.loads(_STATE.pickled)  # noqa: S301  (by our parent)
    with one_thread():
        return function(task)
