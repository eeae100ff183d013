"""Which of several processes this one is, as `torchrun` says it in the environment; no torch.

Schedulers that set the same variables (RANK, WORLD_SIZE, LOCAL_RANK) do as well.
"""

from __future__ import annotations

import os

from molkd.errors import ConfigError


def world_size() -> int:
    """Returns how many processes were started for one job, on all machines; 1 for an ordinary one.

    Raises:
        ConfigError: the environment says something that cannot be.
    """
    size = _number("WORLD_SIZE", 1)
    if size < 1:
        raise ConfigError(f"WORLD_SIZE must be at least 1, not {size}: start with torchrun")
    return size


def rank() -> int:
    """Returns the number of this process among all of its job, from 0.

    Raises:
        ConfigError: the environment says something that cannot be.
    """
    size = world_size()
    if size == 1:
        return 0
    number = _number("RANK", -1)
    if not 0 <= number < size:
        raise ConfigError(
            f"RANK must lie in [0, {size - 1}] where WORLD_SIZE is {size}, not "
            f"{os.environ.get('RANK', 'unset')!r}: start with torchrun, or unset WORLD_SIZE"
        )
    return number


def local_rank() -> int | None:
    """Returns the number of this process among those on this machine: the device it takes.

    None for a process that was started alone.

    Raises:
        ConfigError: the environment says something that cannot be.
    """
    number = _number("LOCAL_RANK", -1)
    if "WORLD_SIZE" not in os.environ or number < 0:
        return None
    return number


def local_world_size() -> int:
    """Returns how many processes of the job are on this machine.

    Raises:
        ConfigError: the environment says something that cannot be.
    """
    return _number("LOCAL_WORLD_SIZE", 1)


def label() -> str:
    """Returns "process 1 of 2", from 0, to tell messages apart; empty for an ordinary process."""
    try:
        return f"process {rank()} of {world_size()}" if world_size() > 1 else ""
    except ConfigError:
        return ""


def _number(name: str, default: int) -> int:
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise ConfigError(
            f"the environment variable {name} must be an integer, not {text!r}: start with "
            "torchrun, or unset it"
        ) from error
