"""Several processes that train together: what they say to each other, by torch.distributed.

A process that was started alone is the first of one, and every function here costs it nothing. What
lies on a GPU goes by NCCL, all else by gloo. Nobody waits for ever: a process that ends takes the
others along at once, and one that cannot be reached any more does after a time.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from molkd.errors import ConfigError, WorkerDiedError
from molkd.runtime import launch

STEP = timedelta(minutes=30)
"""How long one process may keep the others waiting within a step of training."""

WORK = timedelta(days=30)
"""How long the others wait for what the first one does alone: teachers may take weeks."""

_HOW = "start with 'torchrun --nproc-per-node N -m molkd ...'"

Result = TypeVar("Result")

_PATIENT: list[Any] = []
"""The group that waits as long as `WORK`; none but within `joined`."""


@contextlib.contextmanager
def joined(device: torch.device) -> Generator[None]:
    """Connects the processes that were started for one job, within the block; see `launch`.

    Args:
        device: where this one computes.

    Raises:
        ConfigError: processes on one machine cannot have this device each.
        WorkerDiedError: the others cannot be reached.
    """
    if launch.world_size() == 1 or _PATIENT:
        yield
        return
    _refuse_shared(device)
    own = not dist.is_initialized()
    with _explained():
        if str(device).startswith("cuda:"):
            torch.cuda.set_device(device)
        if own:
            _start(device)
        _PATIENT.append(dist.new_group(backend="gloo", timeout=WORK))
    try:
        yield
    finally:
        _PATIENT.clear()
    if own:  # after an error the others may be in the midst of a step: this process ends anyway
        dist.destroy_process_group()


def _start(device: torch.device) -> None:
    nccl = device.type == "cuda" and dist.is_nccl_available()
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if nccl else "gloo",
            rank=launch.rank(),
            world_size=launch.world_size(),
            timeout=STEP,
        )
    except ValueError as error:  # MASTER_ADDR or MASTER_PORT is missing
        raise ConfigError(f"cannot find the other processes ({error}): {_HOW}") from error


def _refuse_shared(device: torch.device) -> None:
    here = launch.local_world_size()
    if device.type == "mps":
        raise ConfigError("several processes train on cuda or cpu, not on mps")
    own = None if device.type != "cuda" else device.index
    if here > 1 and own is not None and own != launch.local_rank():
        raise ConfigError(
            f"{here} processes on this machine cannot share {device}: give --device cuda, and "
            "each takes a GPU of its own"
        )


def several() -> bool:
    """Returns whether this process is one of several that are `joined`."""
    return bool(_PATIENT)


def main() -> bool:
    """Returns whether this process is the one that writes and speaks: the first, or the only."""
    return not _PATIENT or launch.rank() == 0


def share(count: int) -> slice:
    """Returns which of `count` things are this process's: parts that differ by one at most."""
    if not _PATIENT:
        return slice(0, count)
    rank, size = launch.rank(), launch.world_size()
    return slice(count * rank // size, count * (rank + 1) // size)


def total(values: Tensor) -> Tensor:
    """Adds up a tensor over all processes, in place; the same bits in each of them.

    Raises:
        WorkerDiedError: another process ended.
    """
    if _PATIENT:
        with _explained():
            dist.all_reduce(values)
    return values


def copy_from_main(tensors: Sequence[Tensor]) -> None:
    """Gives tensors the values that they have in the first process, in place.

    Raises:
        WorkerDiedError: another process ended.
    """
    if _PATIENT:
        with _explained(), torch.no_grad():
            for tensor in tensors:
                dist.broadcast(tensor, src=0)


def from_main(function: Callable[[], Result]) -> Result:
    """Returns what a function gives in the first process, where alone it is called.

    Args:
        function: what it returns can be pickled; it may take as long as it likes.

    Raises:
        WorkerDiedError: another process ended.
    """
    if not _PATIENT:
        return function()
    box: list[Any] = [function() if main() else None]
    with _explained():
        dist.broadcast_object_list(box, src=0, group=_PATIENT[0])
    return box[0]


@contextlib.contextmanager
def main_first() -> Generator[None]:
    """Lets the first process go through a block before all others enter it.

    Raises:
        WorkerDiedError: another process ended.
    """
    if not main():
        from_main(_done)
    yield
    if main():
        from_main(_done)


def _done() -> None:
    """What the first process says when it is through."""


def refuse_others(what: object) -> None:
    """Refuses processes that are about to do something else than the first one.

    Args:
        what: describes what this one does; comparable, and small.

    Raises:
        ConfigError: the first process does something else.
        WorkerDiedError: another process ended.
    """
    if from_main(lambda: what) != what:
        raise ConfigError(
            "this process trains something else than process 0, or sees other files: give all "
            "of them the same command, and folders that all machines share"
        )


@contextlib.contextmanager
def _explained() -> Generator[None]:
    """Says of a broken connection what it means: it is never the cause.

    What a GPU or NCCL has to say is another class of error, and stays as it is.
    """
    try:
        yield
    except RuntimeError as error:
        if type(error) not in {RuntimeError, dist.DistNetworkError, dist.DistStoreError}:
            raise
        reason = re.sub(r"^\[\S+\] |\. This is typically.*", "", str(error).partition("\n")[0])
        raise WorkerDiedError(
            "another process of this run ended, or cannot be reached; if it said why, that is the "
            f"cause. The same command goes on where it stopped ({reason})"
        ) from error
