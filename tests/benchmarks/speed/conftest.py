"""A clock that only moves when fakes spend time, and a yardstick that is one of these fakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from molkd.benchmarks.speed.baselines import YARDSTICKS, Yardstick
from tests.fakes.clocks import PARSE_ALL, RDKIT, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Stands still unless time is spent."""
    return FakeClock()


@pytest.fixture
def yardstick(clock: FakeClock) -> Yardstick:
    """Parsing costs RDKIT seconds per molecule with RDKit alone, PARSE_ALL with molkd."""
    real = YARDSTICKS["molecules"]

    def parse(smiles: Sequence[str]) -> Sequence[Any]:
        clock.spend(PARSE_ALL * len(smiles))
        return real.parse(smiles)

    return replace(real, read=lambda smiles: clock.spend(RDKIT * len(smiles)), parse=parse)
