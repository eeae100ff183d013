"""Where tensors live: choosing a device, and its random state."""

from __future__ import annotations

import contextlib

import torch

from molkd.errors import ConfigError
from molkd.runtime import launch

TYPES = ("cpu", "cuda", "mps")
"""What molkd computes on; torch has more, such as "meta", which holds no numbers."""


def choose(name: str) -> torch.device:
    """Returns a device.

    Args:
        name: "cpu", "cuda", "cuda:N", "mps", or "auto": CUDA if it is there, then MPS, then the
            CPU. Of several processes on a machine, each takes a CUDA device of its own.

    Raises:
        ConfigError: no such device, or it is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return _own_cuda()
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise _not_available(name, f" ({error})") from error
    if device.type not in TYPES:
        raise _not_available(name)
    return _own_cuda() if device == torch.device("cuda") else device


def _own_cuda() -> torch.device:
    """The CUDA device of this process, where several were started; else the current one."""
    number = launch.local_rank()
    if number is None:
        return torch.device("cuda")
    count = torch.cuda.device_count()
    if number >= count:
        raise ConfigError(
            f"{number + 1} or more processes were started here, and there are {count} CUDA "
            f"devices: give torchrun --nproc-per-node {count}"
        )
    return torch.device("cuda", number)


def _not_available(name: str, cause: str = "") -> ConfigError:
    return ConfigError(
        f"device {name!r} is not available here: use auto, cpu, cuda, cuda:N or mps{cause}"
    )


def of(network: torch.nn.Module) -> torch.device:
    """Returns where the parameters of a network lie."""
    return next(network.parameters()).device


def bf16(device: torch.device) -> torch.autocast:
    """Returns a context in which networks compute with bfloat16 what they safely can."""
    return torch.autocast(device.type, dtype=torch.bfloat16)


def forked(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """Returns a block after which torch's random states are what they were before it."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """Returns torch's random states that matter on a device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_random_state(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Restores `random_state`."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
