"""Where work is done in order: in processes of this machine, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from molkd.runtime.registry import Registry


class OrderedMap(Protocol):
    """Applies a function to tasks and yields the results in order."""

    def __call__(
        self,
        function: Callable[[Any], Any],
        tasks: Iterable[Any],
        *,
        jobs: int,
        ticked: Callable[[int], object] | None = None,
    ) -> Iterator[Any]:
        """See `molkd.runtime.processes.ordered_map`."""
        ...


MAPS: Registry[OrderedMap] = Registry(
    "engine",
    {
        "local": "molkd.runtime.processes:ordered_map",
    },
)
MAPS.add("ray", "molkd.runtime.cluster:ordered_map", extra="ray")
