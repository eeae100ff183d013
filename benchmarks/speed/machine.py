"""Facts about the machine, so that figures are not compared across machines unawares."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from molkd.runtime.processes import usable_cores

PACKAGES = ("molkd", "rdkit", "torch", "torch-geometric", "transformers", "numpy")
"""Packages whose version changes the speed."""


def facts(device: str) -> dict[str, str | int]:
    """Returns processor, cores, system, device and versions."""
    machine: dict[str, str | int] = {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "usable_cores": usable_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": _device(device),
        "python": platform.python_version(),
    }
    return {**machine, **{package: _version(package) for package in PACKAGES}}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _device(name: str) -> str:
    if name == "cpu":
        return "cpu"
    import torch

    from molkd.runtime import devices

    device = devices.choose(name)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
