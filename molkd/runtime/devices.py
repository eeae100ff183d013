"""Where tensors live: choosing a device, and its random state."""

from __future__ import annotations

import torch

from molkd.errors import ConfigError

TYPES = ("cpu", "cuda", "mps")
"""What molkd computes on; torch has more, such as "meta", which holds no numbers."""


def choose(name: str) -> torch.device:
    """Returns a device.

    Args:
        name: "cpu", "cuda", "cuda:N", "mps", or "auto": CUDA if it is there, then MPS, then the
            CPU.

    Raises:
        ConfigError: no such device, or it is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise _not_available(name, f" ({error})") from error
    if device.type not in TYPES:
        raise _not_available(name)
    return device


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
