"""What runs on the machines of a cluster."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, cast

import ray
from ray import cloudpickle

from molkd.errors import ConfigError
from molkd.runtime import versions
from molkd.runtime.processes import one_thread, ticking

PACKAGES = ("ray", "numpy", "rdkit", "torch")
"""Those that must have one version everywhere, besides molkd."""


def packed(function: Any) -> bytes:
    """Returns what `pickle` reads back on any machine, a function of the user's script too.

    Raises:
        ConfigError: it cannot be sent.
    """
    try:
        return cast("Any", cloudpickle).dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(f"cannot be sent to a cluster: {error}") from error


class _Function:
    """What a worker is on its machine."""

    def __init__(self, function: bytes) -> None:
        self._function = pickle.loads(function)  # noqa: S301  (by the driver)

    def versions(self) -> dict[str, str]:
        return versions.installed(PACKAGES)

    def work(self, *given: Any) -> tuple[Any, int]:
        ticks: list[int] = []
        with one_thread(), ticking(ticks.append):
            return self._function(*given), sum(ticks)


ACTOR: Any = ray.remote(max_restarts=0, max_task_retries=0)(_Function)
_HELD: dict[Any, Callable[[Any], Any]] = {}
"""In a process of the cluster: the function that it has prepared with last."""


@ray.remote(num_cpus=1, max_retries=0)
def prepare(held: list[Any], task: Any) -> Any:
    """Does what comes before; `held` is a reference in a list, which Ray hands on unread."""
    if held[0] not in _HELD:
        _HELD.clear()
        _HELD[held[0]] = pickle.loads(ray.get(held[0]))  # noqa: S301
    with one_thread():
        return _HELD[held[0]](task)
