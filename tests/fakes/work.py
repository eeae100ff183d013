"""Tasks for worker processes: slow ones, wrong ones, deadly ones."""

from __future__ import annotations

import os
import time

from molkd.runtime.processes import tick


def slept(seconds: float) -> tuple[float, int]:
    """Returns its argument and who waited."""
    time.sleep(seconds)
    return seconds, os.getpid()


def ticked(parts: int) -> int:
    """Says that the first part is done, and a second later the others."""
    tick(1)
    time.sleep(1)
    tick(parts - 1)
    return parts


def halved(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


def dies(_: object) -> None:
    os._exit(9)


def threads(_: object) -> int:
    import torch

    return torch.get_num_threads()


def _load() -> object:
    raise ImportError("this exists only here")


class OnlyHere:
    """A function that is pickled well and then cannot be loaded."""

    def __call__(self, task: object) -> object:
        return task

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return _load, ()
