"""A clock that only moves when fakes spend time, and a modality that is one of these fakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from molkd.benchmarks.tasks.modalities import BENCHMARKED, BenchmarkModality
from tests.fakes.clocks import PARSE_ALL, RDKIT, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Stands still unless time is spent."""
    return FakeClock()


@pytest.fixture
def modality(clock: FakeClock) -> BenchmarkModality:
    """Parsing costs RDKIT seconds per molecule with RDKit alone, PARSE_ALL with molkd."""
    real = BENCHMARKED["molecules"]

    def parse(smiles: Sequence[str]) -> Sequence[Any]:
        clock.spend(PARSE_ALL * len(smiles))
        return real.parse(smiles)

    return replace(real, read=lambda smiles: clock.spend(RDKIT * len(smiles)), parse=parse)
