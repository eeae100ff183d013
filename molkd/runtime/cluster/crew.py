"""The workers of a job on a cluster: who has what to do, and what happens where one dies."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from molkd.errors import ConfigError, WorkerDiedError
from molkd.runtime import versions
from molkd.runtime.cluster.actors import ACTOR, prepare
from molkd.runtime.cluster.connection import last_line

_LOST = (RayActorError, WorkerCrashedError, NodeDiedError, ObjectLostError, OutOfMemoryError)

_LIVES = 3
"""Workers that may die over one task, or before they have done anything."""

_AT_WORKER = 2
"""Tasks that a worker has at once, so that none waits for the next."""

_PATIENCE = 30.0
"""Seconds without a worker after which the user hears of it."""


@dataclass(eq=False)
class Call:
    """A task on its way.

    Attributes:
        task: what is to be done.
        given: what the function gets, or Ray's references to it.
        lost: how many workers died over it.
        again: whether it was lost; then a worker gets it alone, so that it is seen what kills.
        done: whether there is a result.
        result: of the function.
    """

    task: Any
    given: Sequence[Any] = ()
    lost: int = 0
    again: bool = False
    done: bool = False
    result: Any = None


@dataclass(eq=False)
class _Worker:
    """An actor of Ray.

    Attributes:
        actor: Ray's handle.
        calls: what it has to do, oldest first.
        ready: whether it has begun to work.
    """

    actor: Any
    calls: list[Call] = field(default_factory=list[Call])
    ready: bool = False

    def has_room_for(self, call: Call) -> bool:
        """Whether it is to get one more."""
        alone = any(one.again for one in [call, *self.calls])
        return self.ready and len(self.calls) < (1 if alone else _AT_WORKER)


class Crew:
    """Workers, and what they are doing."""

    def __init__(self, function: bytes, before: bytes | None, size: int, gpus: float) -> None:
        self.queue: deque[Call] = deque()
        self.ticks = 0
        self._function = ray.put(function)
        self._before = None if before is None else ray.put(before)
        self._options = {"num_cpus": int(before is None), "num_gpus": gpus}
        self._workers: list[_Worker] = []
        self._refs: dict[Any, tuple[_Worker, Call | None]] = {}
        self._stillborn = 0
        self._patient = True
        there = ray.cluster_resources().get("GPU", 0)
        for _ in range(size if not gpus else max(1, int(min(size, there / gpus)))):
            self._hire()

    def close(self) -> None:
        """Ends all workers."""
        for worker in self._workers:
            ray.kill(worker.actor)

    def add(self, task: Any) -> Call:
        """Takes a task, and gives it to a worker as soon as one has room for it."""
        call = self._begin(Call(task))
        self.queue.append(call)
        self._hand_out()
        return call

    def step(self) -> None:
        """Waits until something has happened, and hands out what can be done now."""
        ready, _ = ray.wait(list(self._refs), num_returns=1, timeout=_PATIENCE)
        if not ready:
            self._say_if_nobody_works()
        more, _ = ray.wait(list(self._refs), num_returns=len(self._refs), timeout=0)
        for ref in more:
            if ref in self._refs:
                self._take(ref)
        self._hand_out()

    def _hire(self) -> None:
        actor = ACTOR.options(**self._options).remote(self._function)
        worker = _Worker(actor)
        self._workers.append(worker)
        self._refs[actor.versions.remote()] = (worker, None)

    def _hand_out(self) -> None:
        while self.queue:
            worker = min(self._workers, key=lambda one: (not one.ready, len(one.calls)))
            if not worker.has_room_for(self.queue[0]):
                return
            call = self.queue.popleft()
            self._refs[worker.actor.work.remote(*call.given)] = (worker, call)
            worker.calls.append(call)

    def _begin(self, call: Call) -> Call:
        """Starts what comes before, so that it is done when a worker is free."""
        begun = [] if self._before is None else [prepare.remote([self._before], call.task)]
        call.given = [call.task, *begun]
        return call

    def _take(self, ref: Any) -> None:
        worker, call = self._refs.pop(ref)
        try:
            value = ray.get(ref)
        except RayError as error:
            cause = _cause(error)
            if isinstance(cause, _LOST):
                self._lose(worker, call, cause)
                return
            raise cause from None
        if call is None:
            self._refuse_other_versions(value)
            worker.ready = True
            return
        call.result, ticks = value
        call.done = True
        worker.calls.remove(call)
        self.ticks += ticks
        self._stillborn = 0

    def _lose(self, worker: _Worker, call: Call | None, error: Exception) -> None:
        """Takes back what was lost with a worker, or with the process that worked for it."""
        again = [] if call is None else [call]
        if isinstance(error, RayActorError):
            if error.actor_init_failed:
                raise ConfigError(
                    f"a worker of the cluster cannot load what it is to do: {last_line(error)}: "
                    "install the same molkd, and what the encoder needs, on all of its machines"
                ) from None
            again = list(worker.calls)
            self._dismiss(worker)
            self._hire()
        else:
            worker.calls.remove(cast("Call", call))
        for one in again:
            one.again = True
        self.queue.extendleft(map(self._begin, reversed(again)))
        what = ", ".join(str(one.task) for one in again)
        warnings.warn(
            "a worker of the cluster died" + (what and f": {what} are done again"), stacklevel=2
        )
        if again:
            again[0].lost += 1
        else:
            self._stillborn += 1
        self._give_up(again)

    def _give_up(self, again: Sequence[Call]) -> None:
        """Ends the job where trying again leads nowhere."""
        if again and again[0].lost >= _LIVES:
            raise WorkerDiedError(
                f"{_LIVES} workers died over {again[0].task}, perhaps for want of "
                "memory, or a library crashes on one of these items: what is finished is kept, "
                "and the same command goes on there"
            ) from None
        if self._stillborn >= _LIVES:
            raise WorkerDiedError(
                f"{_LIVES} workers of the cluster died before they did anything, perhaps for want "
                "of memory: give fewer jobs; what is finished is kept"
            ) from None

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._refs = {ref: of for ref, of in self._refs.items() if of[0] is not worker}
        ray.kill(worker.actor)  # Ray may only have lost sight of it

    def _refuse_other_versions(self, there: object) -> None:
        others = versions.differences(there)
        if others:
            raise ConfigError(
                f"a machine of the cluster has other versions than this one ({others}): the same "
                "rows would get other embeddings there; install the same ones"
            )

    def _say_if_nobody_works(self) -> None:
        if self._patient and not any(worker.ready for worker in self._workers):
            self._patient = False
            need = " and ".join(
                f"{n:g} {name[4:].upper()}" for name, n in self._options.items() if n
            )
            warnings.warn(
                f"waiting for the cluster: a worker needs {need}, free beside those that start are "
                f"{ray.available_resources().get('CPU', 0):g} CPUS and "
                f"{ray.available_resources().get('GPU', 0):g} GPUS",
                stacklevel=2,
            )


def _cause(error: BaseException) -> BaseException:
    """What was raised at first, without the way that it came; of Ray's own failures what to do."""
    while isinstance(error, RayTaskError):  # one around another, where what came before failed
        cause = cast("Any", error).cause
        if not isinstance(cause, BaseException):
            break
        error = cause
    if isinstance(error, RayError) and not isinstance(error, _LOST):
        return WorkerDiedError(f"the cluster failed, what is finished is kept: {last_line(error)}")
    return error
