"""Which recipes a run draws, and in which order; a function of its arguments alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tests.fuzz.cases import Recipe, Target

_ROUNDS = 100


@dataclass(frozen=True)
class Plan:
    """A share of a run's recipes.

    Attributes:
        counts: target -> recipes of the whole run.
        seed: another seed draws other ones.
        shard: this process draws those of which the number leaves this remainder ...
        shards: ... when it is divided by the number of processes.
    """

    counts: Mapping[str, int]
    seed: int = 0
    shard: int = 0
    shards: int = 1

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yields target and number; targets take turns, so that a run that is cut saw all."""
        for turn in range(_ROUNDS):
            for name, count in self.counts.items():
                for number in range(count * turn // _ROUNDS, count * (turn + 1) // _ROUNDS):
                    if number % self.shards == self.shard:
                        yield name, number

    def draw(self, name: str, number: int, target: Target) -> Recipe:
        """Draws a recipe."""
        return {"target": name, **target.draw(Random(f"{self.seed}/{name}/{number}"))}
