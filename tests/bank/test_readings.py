"""What students read is made once per bank, and is the same as without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from molkd.bank import readings
from molkd.bank.index import Header
from molkd.items.molecules import graph
from molkd.items.molecules.counts import CountedGraphs, Counting
from molkd.items.molecules.graph import Graphs

SMILES = ["CCO", "nonsense", "C[C@H](N)C(=O)O", "[Na+].[Cl-]", "", "C/C=C/C"]
HEADER = Header(
    count=len(SMILES), block=4, standardization="none", items="a", errors="b", versions={}
)
LIBRARIES = {"rdkit": "1", "features": "f"}


class Reading:
    """Counts how often all items are read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Graphs:
        self.times += 1
        return graph.featurize(SMILES)


@pytest.fixture
def reading() -> Reading:
    return Reading()


def _kept(path: Path, make: Callable[[], Graphs], header: Header = HEADER, **libraries: str):
    return readings.kept(path, header, graph.featurize([]), {**LIBRARIES, **libraries}, make)


def _files(path: Path) -> Sequence[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file())


def test_a_second_run_reads_nothing_and_has_the_same_bits(tmp_path: Path, reading: Reading) -> None:
    first, second = _kept(tmp_path, reading), _kept(tmp_path, reading)
    assert reading.times == 1
    assert list(second.failures.items()) == list(first.failures.items())
    assert set(second.failures) == {1, 4}
    for name, values in first.arrays().items():
        there = second.arrays()[name]
        assert there.dtype == values.dtype
        np.testing.assert_array_equal(there, values)


def test_counts_are_kept_with_their_graphs(tmp_path: Path) -> None:
    reader = Counting(("circular", "stereo"))
    times: list[int] = []

    def make() -> CountedGraphs:
        times.append(1)
        return reader(SMILES)

    first, second = (readings.kept(tmp_path, HEADER, reader([]), LIBRARIES, make) for _ in range(2))
    other = Counting(("circular", "torsions"))
    assert readings.kept(tmp_path, HEADER, other([]), LIBRARIES, lambda: other(SMILES)).blocks
    assert len(times) == 1
    assert second.blocks == first.blocks
    assert second.failures == first.failures
    for name, values in first.arrays().items():
        np.testing.assert_array_equal(second.arrays()[name], values)
    assert len(_files(tmp_path)) == 4


def test_other_items_or_libraries_are_read_anew(tmp_path: Path, reading: Reading) -> None:
    from dataclasses import replace

    _kept(tmp_path, reading)
    _kept(tmp_path, reading, rdkit="2")
    for change in ({"items": "c"}, {"errors": "c"}, {"standardization": "full"}):
        _kept(tmp_path, reading, replace(HEADER, **change))
    assert reading.times == 5


def test_another_version_of_the_features_is_read_anew(
    tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kept(tmp_path, reading)
    monkeypatch.setattr(Graphs, "reader", "graphs-999")
    _kept(tmp_path, reading)
    assert reading.times == 2


@pytest.mark.parametrize("part", [0, 1])
def test_a_damaged_reading_is_made_anew(tmp_path: Path, reading: Reading, part: int) -> None:
    _kept(tmp_path, reading)
    damaged = _files(tmp_path)[part]
    data = damaged.read_bytes()
    for content in (data[:-10], b"", data[: len(data) // 2] + b"x" + data[len(data) // 2 + 1 :]):
        before = reading.times
        damaged.write_bytes(content)
        assert len(_kept(tmp_path, reading)) == len(SMILES)
        assert reading.times == before + 1
        assert damaged.read_bytes() == data


def test_a_run_that_is_killed_leaves_nothing_to_be_read(tmp_path: Path, reading: Reading) -> None:
    def killed() -> Graphs:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _kept(tmp_path, killed)
    assert _files(tmp_path) == []
    assert len(_kept(tmp_path, reading)) == len(SMILES)


def test_what_cannot_be_kept_is_made_every_time(tmp_path: Path) -> None:
    made = [readings.kept(tmp_path, HEADER, [], {}, lambda: ["read"]) for _ in range(2)]
    assert made == [["read"], ["read"]]
    assert _files(tmp_path) == []
