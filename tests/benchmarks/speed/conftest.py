"""A clock that only moves when fakes spend time, and RDKit as one of these fakes."""

from __future__ import annotations

import types

import pytest

from molkd import chem
from molkd.benchmarks.speed import embedding, rounds
from tests.fakes.clocks import PARSE_ALL, RDKIT, FakeClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Parsing costs RDKIT seconds per molecule with RDKit alone, PARSE_ALL with molkd."""
    fake = FakeClock()

    def parse_all(items: list[str]) -> chem.Parsed:
        fake.spend(PARSE_ALL * len(items))
        return chem.parse_all(items)

    monkeypatch.setattr(
        rounds, "Chem", types.SimpleNamespace(MolFromSmiles=lambda _text: fake.spend(RDKIT))
    )
    monkeypatch.setattr(embedding, "chem", types.SimpleNamespace(parse_all=parse_all))
    return fake
