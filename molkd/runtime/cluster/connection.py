"""The cluster that a process works on: the one that it is told of, or one of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import ray

from molkd.errors import ConfigError

ADDRESS = "RAY_ADDRESS"
"""Variable of the environment that says where a cluster is."""

_STARTS = 3
"""On a loaded machine a part of Ray may not start within its 15 seconds, and Ray gives up."""

_LOCAL = {"localhost", "127.0.0.1", "[::1]"}

_PATIENCE = 10.0
"""Seconds in which a cluster has to answer; Ray alone tries for a quarter of an hour."""

_STORE = 512 << 20
"""Bytes of shared memory that a cluster of ours may take for results, and more for many jobs."""


@contextlib.contextmanager
def connected(jobs: int) -> Generator[None]:
    """Connects to a cluster, or starts one here, and leaves it as it was."""
    if ray.is_initialized():
        yield
        return
    address, before = os.environ.get(ADDRESS, "local"), signal.getsignal(signal.SIGTERM)
    ours = address == "local"
    folder = _start(jobs) if ours else _reach(address)
    try:
        yield
    finally:
        ray.shutdown()
        with contextlib.suppress(ValueError):  # not the main thread: Ray has set nothing
            signal.signal(signal.SIGTERM, before)
        if ours:
            _clean(Path(folder))


def _clean(folder: Path) -> None:
    """Removes the logs of a cluster of ours; of those that failed they stay."""
    shutil.rmtree(folder, ignore_errors=True)
    latest = folder.with_name("session_latest")
    if latest.is_symlink() and not latest.exists():
        latest.unlink(missing_ok=True)  # Ray would fail to replace a link that leads nowhere


def _reach(address: str) -> str:
    try:
        _knock(address)
        return _init(address=address)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigError(f"no Ray cluster at {address} ({ADDRESS}): {last_line(error)}") from error


def _knock(address: str) -> None:
    """Looks whether anything answers at host:port or ray://host:port.

    Raises:
        ConnectionError: nothing does.
    """
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not port.isdigit():
        return
    # A cluster on this machine may answer at its outer address only.
    for place in (host.strip("[]"), *[ray.util.get_node_ip_address()] * (host in _LOCAL)):
        with contextlib.suppress(OSError):
            socket.create_connection((place, int(port)), _PATIENCE).close()
            return
    raise ConnectionError(f"nothing answers there within {_PATIENCE:g} seconds")


def _start(jobs: int) -> str:
    for attempt in range(_STARTS):
        try:
            return _init(
                address="local",
                num_cpus=jobs,
                include_dashboard=False,
                object_store_memory=max(_STORE, jobs << 25),
            )
        except Exception as error:  # Ray raises the base class
            ray.shutdown()
            if attempt == _STARTS - 1:
                raise ConfigError(f"Ray cannot be started here: {last_line(error)}") from error
    raise AssertionError


def _init(**options: Any) -> str:
    context: Any = ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    return str(context.address_info.get("session_dir", ""))


def last_line(error: BaseException) -> str:
    """Returns what an error of Ray says at the end of its traceback."""
    return str(error).strip().rpartition("\n")[2]
