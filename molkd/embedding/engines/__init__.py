"""What does the tasks of an embedding job, and where: the table of engines.

An engine gives back every task in the order of the plan, with what it has embedded; a task that is
not open comes back with nothing. All engines give the same rows, bit by bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from molkd.runtime.registry import Registry

if TYPE_CHECKING:
    from molkd.embedding.engines.base import Engine

ENGINES: Registry[Engine] = Registry(
    "engine",
    {
        "local": "molkd.embedding.engines.local:run",
    },
)
ENGINES.add("ray", "molkd.embedding.engines.ray:run", extra="ray")
