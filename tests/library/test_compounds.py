"""What a library is made of."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.library import compounds
from molkd.library.compounds import PROPERTIES, composition

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "no molecule",
    "O=C(O)c1ccccc1OC(C)=O",
    "C[C@@H](N)C(=O)O",
    "",
    "OC(=O)c1ccccc1OC(=O)C",
    "CC(N)C(=O)O",
    "OC(=O)[C@@H](N)C",
]


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_line_up(monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    monkeypatch.setattr(compounds, "_CHUNK", 4)
    found = composition(SMILES, jobs=jobs, progress=False)
    assert len(found) == len(SMILES)
    assert list(found.reasons) == [2, 5]
    assert [row for row, text in enumerate(found.compounds) if not text] == [2, 5]
    for values in found.properties.values():
        assert np.flatnonzero(np.isnan(values)).tolist() == [2, 5]


def test_properties_of_aspirin() -> None:
    found = composition(SMILES[:1], progress=False).properties
    assert list(found) == list(PROPERTIES)
    values = [round(float(value[0]), 2) for value in found.values()]
    assert values == [13, 180.16, 1.31, 63.6, 1, 4, 2, 1]


def test_one_compound_is_found_however_it_is_written() -> None:
    found = composition(SMILES, progress=False)
    assert found.duplicates == [[0, 3, 6], [1, 8]]


def test_stereoisomers_are_compounds_that_differ_in_nothing_else() -> None:
    assert composition(SMILES, progress=False).stereoisomers == [[1, 4, 7]]
    assert composition(["CC", "CC", "C/C=C/C", "CC=CC"], progress=False).stereoisomers == [[2, 3]]


def test_nothing_is_a_library_too() -> None:
    found = composition([], progress=False)
    assert (len(found), found.duplicates, found.stereoisomers) == (0, [], [])
