"""Computing the blocks of a bank in this process, or in several that hold the teachers ready."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from molkd.bank_blocks import Block, Computer, Task
from molkd.errors import ConfigError, IncompleteBankError


def compute_all(computer: Computer, tasks: Iterable[Task], *, jobs: int) -> Iterator[list[Block]]:
    """Computes tasks and yields their results in order, the same bits for every number of jobs.

    Every process uses one thread: how many share a sum would change its last bits.

    Raises:
        ConfigError: the teachers cannot be sent to other processes.
        IncompleteBankError: a worker process died.
    """
    if jobs > 1:
        yield from _in_processes(computer, tasks, jobs)
        return
    for task in tasks:
        with _one_thread():
            blocks = computer.compute(task)
        yield blocks


@contextlib.contextmanager
def _one_thread() -> Generator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass
class _Worker:
    pickled: bytes = b""
    computer: Computer | None = field(default=None)


_worker = _Worker()


def _start_worker(pickled: bytes) -> None:
    """Keeps the teachers for the first task, so that an error in loading them is reported."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.pickled = pickled


def _end_with_parent() -> None:
    """Ends a worker whose parent was killed: it would wait for a task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Task) -> list[Block]:
    computer = _worker.computer
    if computer is None:
        computer = pickle.loads(_worker.pickled)  # noqa: S301, written by our parent
        _worker.computer = computer
    with _one_thread():
        return computer.compute(task)


def _in_processes(computer: Computer, tasks: Iterable[Task], jobs: int) -> Iterator[list[Block]]:
    try:
        pickled = pickle.dumps(computer)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"teachers cannot be sent to worker processes, use 1 job: {error}"
        ) from error
    waiting: deque[Future[list[Block]]] = deque()
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), _start_worker, (pickled,)
    )
    try:
        for task in tasks:
            waiting.append(pool.submit(_work, task))
            if len(waiting) >= 2 * jobs:  # bounds the memory of results that wait
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise IncompleteBankError(
            "a worker process died, perhaps for want of memory: build again with fewer jobs, "
            "finished blocks are kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
