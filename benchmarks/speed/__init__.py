"""How fast an embedder is: molecules per second, its parts, memory, and cost against size.

`job.run` measures, one fresh process per cell; `summary` gives the figures of each embedder.
"""

from molkd.benchmarks.speed.records import SpeedResults, read, summary, write

__all__ = ["SpeedResults", "read", "summary", "write"]
