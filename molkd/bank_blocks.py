"""Computing the blocks of a bank: in this process, or in several that hold the teachers ready."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from molkd.bank_files import Stored, StoredType
from molkd.errors import (
    ConfigError,
    IncompleteBankError,
    MissingExtraError,
    ShapeError,
    WeightsError,
)
from molkd.types import Card, Embedded, Matrix, Teacher

Prepare = Callable[[Sequence[str]], Sequence[Any]]

_NOT_THE_ITEMS = (ConfigError, MissingExtraError, ShapeError, WeightsError)
"""Errors of a teacher that no item is to blame for: they end the building."""


@dataclass(frozen=True, slots=True)
class Task:
    """A block to compute.

    Attributes:
        start: its first row.
        items: its items.
        errors: row of the bank -> reason, for items that no teacher is asked about.
        teachers: who still lacks it.
    """

    start: int
    items: Sequence[str]
    errors: Mapping[int, str]
    teachers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Block:
    """What one teacher says about one block.

    Attributes:
        teacher: name.
        start: first row.
        values: shape (m, d), as it will be stored; NaN where the item failed.
        failures: row of the bank -> reason.
    """

    teacher: str
    start: int
    values: Stored
    failures: Mapping[int, str]


@dataclass(frozen=True)
class Computer:
    """Computes tasks; travels to the worker processes.

    Attributes:
        teachers: name -> teacher.
        dtypes: name -> in which its values are stored.
        prepare: turns items into what the teachers read, once per block for all of them.
    """

    teachers: Mapping[str, Teacher[Any]]
    dtypes: Mapping[str, StoredType]
    prepare: Prepare | None = None

    def compute(self, task: Task) -> list[Block]:
        """Returns one block per teacher of the task.

        Raises:
            ShapeError: a teacher does not return what its card promises.
            ConfigError: a value does not fit its card or the type it is stored in.
        """
        errors = dict(task.errors)
        rows = [task.start + place for place in range(len(task.items))]
        rows = [row for row in rows if row not in errors]
        objects, failed = self._prepared([task.items[row - task.start] for row in rows])
        errors.update({rows[place]: reason for place, reason in failed.items()})
        rows = [row for place, row in enumerate(rows) if place not in failed]
        return [self._block(name, task, rows, objects, errors) for name in task.teachers]

    def _prepared(self, items: Sequence[str]) -> tuple[Sequence[Any], dict[int, str]]:
        if self.prepare is None or not items:
            return items, {}
        try:
            objects = self.prepare(items)
        except Exception:  # noqa: BLE001, one bad item must not cost the others
            return _one_by_one(self.prepare, items)
        if len(objects) != len(items):
            raise ShapeError(f"prepare returned {len(objects)} objects for {len(items)} items")
        return objects, {}

    def _block(
        self,
        name: str,
        task: Task,
        rows: Sequence[int],
        objects: Sequence[Any],
        errors: Mapping[int, str],
    ) -> Block:
        card = self.teachers[name].card
        values = np.full((len(task.items), card.dim), np.nan, dtype=np.float32)
        failures = dict(errors)
        if rows:
            embedded = _embed(self.teachers[name], objects)
            values[np.asarray(rows) - task.start] = embedded.values
            failures |= {rows[place]: reason for place, reason in embedded.failures.items()}
        failures = dict(sorted(failures.items()))
        values[[row - task.start for row in failures]] = np.nan
        _refuse_off_support(values, card, task.start)
        stored = _stored(values, self.dtypes[name], card.name, task.start)
        return Block(name, task.start, stored, failures)


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


def _embed(teacher: Teacher[Any], objects: Sequence[Any]) -> Embedded:
    try:
        return _checked(teacher.embed(objects), teacher.card, len(objects))
    except _NOT_THE_ITEMS:
        raise
    except Exception:  # noqa: BLE001, asked again row by row to find the items to blame
        singles, failures = _one_by_one(
            lambda single: [_checked(teacher.embed(single), teacher.card, 1)], objects
        )
    values = np.full((len(objects), teacher.card.dim), np.nan, dtype=np.float32)
    places = [place for place in range(len(objects)) if place not in failures]
    for place, single in zip(places, singles, strict=True):
        values[place] = single.values[0]
        if single.failures:
            failures[place] = single.failures[0]
    return Embedded(values, failures)


def _one_by_one(
    function: Callable[[Sequence[Any]], Sequence[Any]], items: Sequence[Any]
) -> tuple[list[Any], dict[int, str]]:
    results: list[Any] = []
    failures: dict[int, str] = {}
    for place, item in enumerate(items):
        try:
            results.append(function([item])[0])
        except _NOT_THE_ITEMS:
            raise
        except Exception as error:  # noqa: BLE001, it becomes the reason of this row
            text = str(error).encode(errors="replace").decode()
            failures[place] = text or type(error).__name__
    return results, failures


def _checked(embedded: Embedded, card: Card, count: int) -> Embedded:
    values = embedded.values
    if values.shape != (count, card.dim) or values.dtype != np.float32:
        raise ShapeError(
            f"teacher {card.name!r} returned shape {values.shape} of {values.dtype} for {count} "
            f"items, expected ({count}, {card.dim}) of float32"
        )
    outside = [row for row in embedded.failures if not 0 <= row < count]
    if outside:
        raise ShapeError(f"teacher {card.name!r} reports row {outside[0]} of {count} as failed")
    failures = dict(embedded.failures)
    for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
        failures.setdefault(row, "the teacher returned NaN or infinity")
    return Embedded(values, failures)


def _refuse_off_support(values: Matrix, card: Card, start: int) -> None:
    if card.support == "real":
        return
    wrong = values < 0 if card.support == "counts" else (values != 0) & (values != 1)
    wrong &= ~np.isnan(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise ConfigError(
            f"the card of teacher {card.name!r} says {card.support}, but row {start + row}, "
            f"column {column} is {values[row, column]}: correct its card"
        )


def _stored(values: Matrix, dtype: StoredType, name: str, start: int) -> Stored:
    with np.errstate(over="ignore"):
        stored = values.astype(np.float16) if dtype == "fp16" else values
    lost = np.isinf(stored)
    if lost.any():
        row, column = np.argwhere(lost)[0].tolist()
        raise ConfigError(
            f"teacher {name!r}: row {start + row}, column {column} is {values[row, column]}, too "
            "large for fp16: delete the folder of this teacher and build with dtype 'fp32'"
        )
    return stored


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


# == Worker processes


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
